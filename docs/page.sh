#!/bin/sh
# Makes docs/page.png from the real page: a draw of three agencies after it was drawn. It needs Go and chromium.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"' EXIT

go build -o "$work/quiniela" ./cmd/quiniela
"$work/quiniela" generate --agencies 3 --out "$work"
export SERVER_PORT=12399 SERVER_HTTP_ADDR=127.0.0.1:8099 CLI_SERVER_ADDRESS=127.0.0.1:12399
"$work/quiniela" server --agencies 3 --data "$work/data" >"$work/log" &
for id in 1 2 3; do
	"$work/quiniela" client --id "$id" --file "$work/agency-$id.csv" >>"$work/log" &
done
until grep -q 'action: consulta_ganadores' "$work/log"; do sleep 1; done
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --accept-lang=en --user-data-dir="$work/chromium" \
	--timeout=3000 --window-size=1000,760 --screenshot=docs/page.png http://127.0.0.1:8099/ 2>"$work/log"
