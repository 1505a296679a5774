// Calls models through Parlor with the vendors' official clients, method by method, and says as one line of JSON what they
// understood:
//   node gateway.mjs URL KEY
// What the fake provider answers is in tests/it/support/provider.rs; tests/it/clients.rs compares.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';

const [url, key] = process.argv.slice(2);
const model = 'openai/fake-1';
const messages = [{ role: 'user', content: 'hi' }];
const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const said = {};
// What an error is to its client: the name of its class, and its status.
const refused = async (call) => {
  try {
    await call();
    return null;
  } catch (error) {
    return [error.constructor.name, error.status ?? null];
  }
};

const whole = await openai.chat.completions.create({ model, messages });
said.whole = [whole.choices[0].message.content, whole.usage.completion_tokens];
const stream = await openai.chat.completions.create({ model, messages, stream: true });
said.stream = '';
for await (const event of stream) said.stream += event.choices[0].delta.content ?? '';
const tools = [{ type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } }];
const called = await openai.chat.completions.create({ model, messages, tools, response_format: { type: 'json_object' } });
said.called = called.choices[0].message.content;
const response = await openai.responses.create({ model, input: 'hi' });
said.response = [response.output_text, response.usage.output_tokens];
said.events = [];
for await (const event of await openai.responses.create({ model, input: 'hi', stream: true })) said.events.push(event.type);
said.completion = (await openai.completions.create({ model, prompt: 'hi' })).choices[0].text;
const embedding = await openai.embeddings.create({ model: 'openai/text-embedding-fake', input: 'x', encoding_format: 'float' });
said.embedding = embedding.data[0].embedding;
said.models = [];
for await (const each of openai.models.list()) said.models.push(each.id);
said.model = (await openai.models.retrieve(model)).id;
const file = await toFile(new TextEncoder().encode('sound'), 'a.mp3');
said.heard = (await openai.audio.transcriptions.create({ model, file })).text;
said.spoken = await (await openai.audio.speech.create({ model, input: 'x', voice: 'alloy' })).text();

const message = await anthropic.messages.create({ model, max_tokens: 50, messages });
said.message = [message.content[0].text, message.stop_reason, message.usage.output_tokens];
const words = anthropic.messages.stream({ model, max_tokens: 50, messages });
said.words = await words.finalText();

const nobody = { apiKey: 'parlor_nobody', maxRetries: 0 };
said.errors = {
  wrong: await refused(() => openai.chat.completions.create({ model, messages, temperature: 9 })), // scripted: 400
  nobody: await refused(() => new OpenAI({ ...nobody, baseURL: `${url}/v1` }).models.list()),
  missing: await refused(() => openai.chat.completions.create({ model: 'openai/none', messages })),
  broken: await refused(() => openai.chat.completions.create({ model, messages })), // scripted: 500
  anthropicBroken: await refused(() => anthropic.messages.create({ model, max_tokens: 5, messages })), // scripted: 503
  busy: await refused(() => openai.chat.completions.create({ model, messages })), // scripted: 429
  anthropicBusy: await refused(() => anthropic.messages.create({ model, max_tokens: 5, messages })), // the key rests
  anthropicWrong: await refused(() => anthropic.messages.create({ model, max_tokens: 50, messages: [{ role: 'robot', content: 'x' }] })),
  anthropicNobody: await refused(() => new Anthropic({ ...nobody, baseURL: url }).messages.create({ model, max_tokens: 5, messages })),
  anthropicMissing: await refused(() => anthropic.messages.create({ model: 'none', max_tokens: 5, messages })),
};
console.log(JSON.stringify(said));
