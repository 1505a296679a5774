# docker build -t parlor .        (or podman; with buildah add `--format docker`, or the health check is dropped)
# docker run -p 3000:3000 -v parlor:/data parlor

FROM docker.io/library/debian:trixie-slim AS packages
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates npm
WORKDIR /parlor
COPY package.json package-lock.json .npmrc ./
# Debian's list of authorities instead of Node's own, so that one added to the base image counts
RUN NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm ci --ignore-scripts

FROM docker.io/library/rust:1-slim-trixie AS build
WORKDIR /parlor
# .sqlx knows the queries: no database is needed
ENV SQLX_OFFLINE=true
# The dependencies first, around an empty program: a layer that stays until the lock file changes. The manifest's
# benches and tests are left out of it, because their files are not there yet.
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[/,/^$/d' Cargo.toml && mkdir src && echo 'fn main() {}' | tee build.rs >src/main.rs && touch src/lib.rs \
    && cargo build --release --locked
COPY . .
COPY --from=packages /parlor/node_modules node_modules
# copied files keep their times, which are older than the empty program's: cargo would take them for known
RUN touch build.rs src/main.rs src/lib.rs && cargo build --release --locked

FROM docker.io/library/debian:trixie-slim
# Left out, about 200 MB: LLVM with what goes with it, because Parlor runs its PostgreSQL without just-in-time
# compilation, and the sources of locales, because C.UTF-8 is built in.
# No cluster is made: Parlor makes its own in /data.
RUN printf 'path-exclude=%s\n' '/usr/lib/*/libLLVM*' '/usr/lib/llvm-*' '/usr/lib/*/libz3*' '/usr/lib/postgresql/*/lib/bitcode/*' \
        '/usr/lib/postgresql/*/lib/llvmjit*' '/usr/share/i18n/*' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' \
        >/etc/dpkg/dpkg.cfg.d/parlor \
    && mkdir -p /etc/postgresql-common/createcluster.d \
    && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/parlor.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates postgresql-17 postgresql-17-pgvector util-linux \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
    && useradd --uid 1000 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin parlor \
    && install --directory --owner parlor --group parlor --mode 0700 /data
COPY --from=build /parlor/target/release/parlor /usr/local/bin/parlor
USER 1000:1000
WORKDIR /data
VOLUME /data
# the last one: glibc gives large blocks back when they are free, as images take them, and does not keep some for each thread
ENV PARLOR_DATA=/data HOST=0.0.0.0 PORT=3000 LANG=C.UTF-8 MALLOC_MMAP_THRESHOLD_=1048576
EXPOSE 3000
STOPSIGNAL SIGTERM
# the image has no curl; bash can open a connection
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /up HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["parlor"]
CMD ["serve"]
