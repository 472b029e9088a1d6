#!/bin/sh
# Checks, from a container on the network of the compose file, that the server returns a message byte for byte.
# Nothing is installed on the host and no port is exposed. SERVER_PORT overrides the port of server/config.ini.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
key='^[[:space:]]*SERVER_PORT[[:space:]]*[=:][[:space:]]*\([0-9]\{1,\}\).*$'
port=${SERVER_PORT:-$(sed -n "s/$key/\1/p" "$here/server/config.ini" 2>/dev/null | tail -n 1)}
message="echo $$ $(date +%s) ñandú"

# Runs in the container. The answer is compared there, as a file: a shell variable would drop line ends and zero bytes.
# It is cut, so that a server that never stops talking fills no disk.
# shellcheck disable=SC2016
probe='printf "%s\n" "$MESSAGE" >/tmp/sent
timeout 10 nc -w 5 server "$PORT" </tmp/sent | head -c 4096 >/tmp/got
cmp -s /tmp/sent /tmp/got'

if docker run --rm --network tp0_testing_net -e MESSAGE="$message" -e PORT="${port:-12345}" busybox:latest \
	sh -c "$probe" >/dev/null 2>&1; then
	echo "action: test_echo_server | result: success"
else
	echo "action: test_echo_server | result: fail"
	exit 1
fi
