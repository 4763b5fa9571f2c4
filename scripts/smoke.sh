#!/usr/bin/env bash
# Installs the packed package in an empty project, and uses it there: on each Node version given (from the npm registry;
# none: the one running), and compiled by the TypeScript installed here and by each version of $TS_VERSIONS.
#   scripts/smoke.sh 20 22 24
#   RXJS=7.5.5 TS_VERSIONS='5.4 5.9 7.0.2' scripts/smoke.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$root"
tarball=$dir/$(npm pack --silent --pack-destination "$dir")
cp test/package/smoke.mjs test/package/consumer.ts "$dir/"
cd "$dir"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund "$tarball" "rxjs@${RXJS:-^7.5.5}" @types/node@20

if [ $# -eq 0 ]; then node smoke.mjs; fi
for version in "$@"; do npx --yes --silent "node@$version" smoke.mjs; done

flags=(--noEmit --strict --skipLibCheck false --target es2022 --types node)
compile() {
  "$@" "${flags[@]}" --module nodenext --moduleResolution nodenext consumer.ts
  "$@" "${flags[@]}" --module esnext --moduleResolution bundler consumer.ts
  cp consumer.ts consumer.cts
  "$@" "${flags[@]}" --module nodenext --moduleResolution nodenext consumer.cts
}
compile node "$root/node_modules/typescript/bin/tsc"
echo 'types: ok'
for version in ${TS_VERSIONS:-}; do
  tsc=(npx --yes --silent -p "typescript@$version" tsc)
  compile "${tsc[@]}"
  case $version in 5.*) # older resolution knows no "exports"
    "${tsc[@]}" "${flags[@]}" --module commonjs --moduleResolution node10 --esModuleInterop consumer.cts ;;
  esac
  echo "types, TypeScript $version: ok"
done
