// A mail server for the stories: the package `smtp-server`, which speaks the protocol for real. Takes its settings as JSON
// in its first argument, says its port in its first line, and each letter it took in a line of its own.
//   how       "plain", "starttls" or "tls"
//   cert, key PEM, for the latter two
//   user, password   wanted before it takes anything, if given
//   refuses   a status with a sentence, with which each recipient is refused

import { SMTPServer } from "smtp-server";

const { how, cert, key, user, password, refuses } = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const server = new SMTPServer({
  secure: how === "tls",
  cert,
  key,
  hideSTARTTLS: how === "plain",
  authOptional: !user,
  disabledCommands: user ? [] : ["AUTH"],
  onAuth(given, session, done) {
    if (given.username === user && given.password === password) return done(null, { user });
    done(new Error("535 these do not belong together"));
  },
  onRcptTo(address, session, done) {
    if (!refuses) return done();
    done(Object.assign(new Error(refuses.sentence), { responseCode: refuses.status }));
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const { envelope, secure } = session;
      say({ to: envelope.rcptTo.map(({ address }) => address), from: envelope.mailFrom.address, secure, user: session.user ?? "", raw: Buffer.concat(chunks).toString() });
      done();
    });
  },
});
server.on("error", () => {}); // a guest who leaves, or does not trust us
server.listen(0, "127.0.0.1", () => say({ port: server.server.address().port }));
process.stdin.on("end", () => process.exit()).resume(); // whoever started it is gone
