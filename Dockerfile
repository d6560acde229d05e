# One image for gateways, workers, relays and the command line: what runs is the argument.
#   docker build -t callfleet:0.1.0 .
#   docker run --init callfleet:0.1.0 services/ari-gateway/src/main.ts
ARG NODE_VERSION=24.21.0
# With npm, to install packages.
ARG BUILDER=docker.io/library/node:${NODE_VERSION}-bookworm-slim
# Needs Node alone.
ARG BASE=docker.io/library/node:${NODE_VERSION}-bookworm-slim

FROM ${BUILDER} AS packages
WORKDIR /app
COPY . .
# As the lock file says, without scripts of packages. Optional are Node itself, which is in the image, and colours. Not `npm ci`: it wants
# optional packages of every other platform in the lock file.
RUN npm install --no-save --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# What is in the image, for scanners: what is installed, not what the lock file has.
RUN npm pkg delete devDependencies --workspaces --include-workspace-root && npm sbom --sbom-format=cyclonedx > sbom.cdx.json

FROM ${BASE}
LABEL org.opencontainers.image.title="callfleet" org.opencontainers.image.licenses="Apache-2.0"
# Where probes and the health check below ask; the environment goes before callfleet.yaml.
ENV NODE_ENV=production CALLFLEET_TELEMETRY__HTTP__HOST=0.0.0.0 CALLFLEET_TELEMETRY__HTTP__PORT=9464
WORKDIR /app
# Root owns it all: the user below can write nowhere.
COPY --from=packages /app /app
USER 10001:10001
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CALLFLEET_TELEMETRY__HTTP__PORT}/livez`, { signal: AbortSignal.timeout(4000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning"]
CMD ["cli/src/main.ts", "--help"]
