#!/bin/sh
# The central: maps the variables of the exercise to the flags of quiniela. The draw expects the quorum's agencies, 1 to
# AGENCY_QUORUM_MIN, and closes by itself when all of them have finished.
set -eu
: "${SERVER_HOST:?}" "${SERVER_PORT:?}" "${AGENCY_QUORUM_MIN:?}"

exec /quiniela server --ip "$SERVER_HOST" --port "$SERVER_PORT" --agencies "$AGENCY_QUORUM_MIN" --data /data --http-addr off
