# The xlvein server: built from this repository, run by a numeric user that writes nothing.
#   docker build -t xlvein --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) --build-arg CREATED=$(date -u +%FT%TZ) .
#   docker run --rm --read-only -p 8090:8090 -v $PWD/conf.yaml:/etc/xlvein/conf.yaml:ro xlvein start --config /etc/xlvein/conf.yaml

ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY server/package.json server/
COPY sdk-node/package.json sdk-node/
COPY sdk-browser/package.json sdk-browser/

# Everything, to build: console, SDK, and the command in a few files without types and maps.
FROM manifests AS build
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm run bundle

# The packages that the server needs to run, and no more; a list of them and of what the bundle holds.
FROM manifests AS production
RUN npm ci --ignore-scripts --omit=dev --omit=optional --workspace=server \
 && npm sbom --package-lock-only --workspace=server --sbom-format=cyclonedx >sbom.cdx.json

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="xlvein" \
      org.opencontainers.image.description="Real-time push and messaging server for many applications at once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
WORKDIR /app
COPY --from=production /src/node_modules ./node_modules
COPY --from=production /src/server ./server
COPY --from=production /src/sbom.cdx.json ./
COPY --from=build /src/LICENSE ./
COPY --from=build /src/server/bin ./server/bin
COPY --from=build /src/server/dist/bundle ./server/dist
COPY --from=build /src/server/dist/assets ./server/dist/assets
ENV NODE_ENV=production \
    XLVEIN_HOST=0.0.0.0:8090
USER 10001:10001
EXPOSE 8090 8091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["node", "/app/server/bin/xlvein.js", "health"]
ENTRYPOINT ["node", "/app/server/bin/xlvein.js"]
CMD ["start"]
