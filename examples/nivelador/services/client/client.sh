#!/bin/sh
# An agency: maps the variables of the exercise to the flags of quiniela.
set -eu
: "${AGENCY_ID:?}" "${SERVER_HOST:?}" "${SERVER_PORT:?}" "${INPUT_FILE:?}" "${OUTPUT_FILE:?}"

# quiniela makes a file of winners readable for its owner only, which is root here, and keeps the rights of one that is there.
[ -e "$OUTPUT_FILE" ] || : >"$OUTPUT_FILE"

exec /quiniela client send --agency-base 0 --id "$AGENCY_ID" --server "$SERVER_HOST:$SERVER_PORT" \
	--file "$INPUT_FILE" --winners "$OUTPUT_FILE" --batch-max-amount "${BATCH_SIZE:-150}"
