FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Static, so that it runs on nothing; without paths of the build, so that the same source gives the same binary.
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /demo-server ./cmd/demo-server

FROM scratch
COPY --from=build /demo-server /demo-server
# Nobody's number: nothing in the image belongs to it.
USER 65532:65532
# In a container the loopback is the container's own, so that serving needs all addresses. The admin listener stays on
# the loopback, at a port that the health check knows whatever --port says. docker stop kills after 10 seconds, and the
# drain ends before that.
ENV DEMO_SERVER_HOST=0.0.0.0 \
    DEMO_SERVER_ADMIN_ADDR=127.0.0.1:7780 \
    DEMO_SERVER_DRAIN_TIMEOUT=8s
EXPOSE 7779
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/demo-server", "health"]
ENTRYPOINT ["/demo-server"]
