#!/bin/sh
# Writes a Docker Compose file with the central and N agencies, and beside it makes the folder .data for their files.
set -eu

usage() {
	echo "generar-compose.sh: $1" >&2
	echo "Type: [MODE=echo|bet|batch] ./generar-compose.sh FILE N     such as: ./generar-compose.sh docker-compose-dev.yaml 5" >&2
	exit 2
}

[ $# -eq 2 ] || usage "want a file and a number of agencies"
file=$1
n=$2
mode=${MODE:-batch}
[ -n "$file" ] || usage "the file has no name"
[ ! -d "$file" ] || usage "'$file' is a folder: want the name of a file"
case $n in
'' | *[!0-9]*) usage "'$n' is not a number of agencies: want 0 or more" ;;
esac
[ ${#n} -le 4 ] || usage "'$n' agencies are too many: want at most 9999"
n=$(expr "$n" + 0) || true # without leading zeros; expr exits 1 for 0
case $mode in
echo) server_mode=echo ;;
bet | batch) server_mode=lottery ;;
*) usage "'$mode' is no MODE: want echo, bet or batch" ;;
esac

server() {
	cat <<EOF
name: tp0
services:
  server:
    container_name: server
    image: server:latest
    environment:
      - SERVER_MODE=$server_mode
      - TOTAL_CLIENTES=$n
    volumes:
      - ./server/config.ini:/config.ini:ro
      - /data
    networks:
      - testing_net
    read_only: true
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    healthcheck:
      test: ["CMD", "/quiniela", "health"]
      interval: 30s
      timeout: 5s
EOF
}

client() {
	cat <<EOF

  client$1:
    container_name: client$1
    image: client:latest
    environment:
      - CLI_ID=$1
      - CLI_MODE=$mode
      - NOMBRE=Santiago Lionel
      - APELLIDO=Lorca
      - DOCUMENTO=$((30904464 + $1))
      - NACIMIENTO=1999-03-17
      - NUMERO=7574
    volumes:
      - ./client/config.yaml:/config.yaml:ro
      - ./.data:/app/.data:ro
    networks:
      - testing_net
    depends_on:
      - server
    read_only: true
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
EOF
}

network() {
	cat <<EOF

networks:
  testing_net:
    ipam:
      driver: default
      config:
        - subnet: 172.25.125.0/24
EOF
}

compose() {
	server || return
	i=1
	while [ "$i" -le "$n" ]; do
		client "$i" || return
		i=$((i + 1))
	done
	network
}

# Written whole or not at all: a full disk or an interrupt leaves the earlier file as it was.
part=$file.part.$$
trap 'rm -f -- "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if ! compose >"$part" || ! mv -f -- "$part" "$file"; then
	echo "generar-compose.sh: cannot write '$file': name a file in a folder that exists and that you may write to" >&2
	exit 1
fi

# The clients mount it. Where it is missing the engine would make it as root's, and nobody else could put files there.
case $file in
*/*) data=${file%/*}/.data ;;
*) data=.data ;;
esac
if [ ! -d "$data" ] && ! mkdir -- "$data"; then
	echo "generar-compose.sh: '$file' is written, but the folder '$data' for the agencies' files cannot be made: make it, and put agency-1.csv and so on there" >&2
	exit 1
fi
