SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: build test lint docker-image docker-compose-up docker-compose-down docker-compose-logs

COMPOSE := docker compose -f docker-compose-dev.yaml

# What a network without direct access to the module proxy needs is passed on to the image builds where it is set.
BUILD_ENV := GOPROXY GOSUMDB GOFLAGS HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy
BUILD_ARGS := $(foreach v,$(BUILD_ENV),$(if $($(v)),--build-arg $(v)))

build: ## one binary: bin/quiniela
	go build -o bin/quiniela ./cmd/quiniela

test:
	go test ./...

lint:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "type: gofmt -w" $$unformatted >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...

docker-image: ## server:latest and client:latest
	docker build $(BUILD_ARGS) -f ./server/Dockerfile -t server:latest .
	docker build $(BUILD_ARGS) -f ./client/Dockerfile -t client:latest .

# Made when there is none; one of your own, such as with another N, is kept.
docker-compose-dev.yaml:
	./generar-compose.sh $@ 5

docker-compose-up: docker-image docker-compose-dev.yaml
	$(COMPOSE) up -d

docker-compose-down: docker-compose-dev.yaml
	$(COMPOSE) stop -t 10
	$(COMPOSE) down -v

docker-compose-logs: docker-compose-dev.yaml
	$(COMPOSE) logs -f
