SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: build test lint dist docker-image docker-compose-up docker-compose-down docker-compose-logs

COMPOSE := docker compose -f docker-compose-dev.yaml

# What a network without direct access to the module proxy needs is passed on to the image builds where it is set.
BUILD_ENV := GOPROXY GOSUMDB GOFLAGS HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy
BUILD_ARGS := $(foreach v,$(BUILD_ENV),$(if $($(v)),--build-arg $(v)))

build: ## one binary: bin/quiniela
	go build -o bin/quiniela ./cmd/quiniela

# With Docker, PostgreSQL and chromium, and no image built yet, integration/ comes near the ten minutes that are the default.
test: ## all tests, and a list of those that this machine had to skip
	@go test -json -timeout 20m ./... | awk -f .ci/results.awk

lint:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "type: gofmt -w" $$unformatted >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff

# A release has the version of the newest section of CHANGELOG.md. The same commit and the same Go give the same bytes.
VERSION := $(shell sed -n 's/^.. \([0-9]*\.[0-9.]*\) .*/\1/p' CHANGELOG.md | head -n 1)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
SHA256SUM := $(shell command -v sha256sum || echo shasum -a 256)

dist: ## dist/: quiniela and quiniela-verify for each platform, the manual page and SHA256SUMS
	rm -rf dist
	mkdir dist
	set -e; for platform in $(PLATFORMS); do \
		export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		exe=; [ $$GOOS != windows ] || exe=.exe; \
		for program in quiniela quiniela-verify; do \
			go build -trimpath -buildvcs=auto -ldflags "-s -w -X main.release=$(VERSION)" -o dist/$$program-$(VERSION)-$$GOOS-$$GOARCH$$exe ./cmd/$$program; \
		done; \
	done
	LC_ALL=C go run ./cmd/quiniela man >dist/quiniela.1
	cd dist && $(SHA256SUM) quiniela* >SHA256SUMS

# Which source an image is of. As labels they compile nothing again.
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
LABELS := --label org.opencontainers.image.version=$(VERSION) --label org.opencontainers.image.revision=$(REVISION)

docker-image: ## server:latest and client:latest
	docker build $(BUILD_ARGS) $(LABELS) -f ./server/Dockerfile -t server:latest .
	docker build $(BUILD_ARGS) $(LABELS) -f ./client/Dockerfile -t client:latest .

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
