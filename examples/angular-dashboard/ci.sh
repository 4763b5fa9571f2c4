#!/usr/bin/env bash
# All about the example, in a fresh clone: builds, packs and installs the package, checks and tests the app, builds it for
# production, and clicks through it in Chromium.
set -euo pipefail
export CI=1 FORCE_COLOR=0 NO_COLOR=1 NG_CLI_ANALYTICS=false
cd "$(dirname "$0")"

(cd ../.. && node scripts/setup.mjs --browser)
node scripts/setup.mjs --no-build
npm run -s typecheck
npm run -s lint
npm test
npm run -s build
npm run -s e2e
