# Node runs the server's TypeScript sources directly. The packages are installed in their own stage, which Docker
# caches until the lock file changes.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY clients/js/package.json ./clients/js/
# Optional packages are left out: Node itself, for npm scripts outside of this image, and types.
# No install scripts: `prepare` needs the sources, so it runs below.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force

# What has to be compiled, with the development packages that do it. The image takes what comes out.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY clients/js/package.json ./clients/js/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY clients/js ./clients/js
RUN npm run prepare --workspace clients/js
# The page is bundled by the rules of this tsconfig.json, too.
COPY tsconfig.json ./
COPY src/dashboard ./src/dashboard
RUN npm run build

# The smaller image: jobs of media wait for workers of one's own. docker build --target without-ffmpeg .
FROM node:24-slim AS without-ffmpeg
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=4000 \
    DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
# For HANDLERS: modules below /app find `@longhaul/client/worker`.
COPY clients/js/package.json ./clients/js/
COPY --from=build /app/clients/js/dist ./clients/js/dist
COPY --from=build /app/dist/dashboard ./dist/dashboard
COPY schema ./schema
COPY src ./src
# A new volume gets the owner of the folder that it is mounted on. Both folders may be volumes.
RUN mkdir -p /data/artifacts node_modules/.cache && chown -R node:node /data node_modules/.cache
VOLUME /data
USER node
# Run as the user that starts the server, because the compile cache is per user.
RUN node src/prepare.ts
EXPOSE 4000
# 127.0.0.1 rather than HOST, which may be 0.0.0.0.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 4000) + '/health/live', { signal: AbortSignal.timeout(4000) }).then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, so that the process gets SIGTERM directly.
CMD ["node", "src/main.ts"]

# The default: with ffmpeg, and a font for subtitles that are drawn into the picture.
FROM without-ffmpeg
USER root
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ffmpeg fonts-dejavu-core \
  && rm -rf /var/lib/apt/lists/*
USER node
