package http1

import (
	"testing"

	"demo-server/server"
)

// TestHeadEnd checks where a head ends, if only the new bytes are searched.
func TestHeadEnd(t *testing.T) {
	for _, row := range []struct {
		p        string
		searched int
		want     int
	}{
		{"GET / HTTP/1.1\r\nX: y\r\n\r\nGET", 0, 24},
		{"GET / HTTP/1.1\r\nX: y\r\n\r\nGET", 23, 24},
		{"GET / HTTP/1.1\r\nX: y\r\n\r\nGET", 21, 24},
		{"GET / HTTP/1.1\r\nX: y\r\n\r", 0, -1},
		{"GET / HTTP/1.1\nX: y\n\nGET", 0, 21},
		{"GET / HTTP/1.1\nX: y\n\nGET", 20, 21},
		{"\r\n\r\nall that is searched", 20, -1},
		{"", 0, -1},
	} {
		if got := HeadEnd([]byte(row.p), row.searched); got != row.want {
			t.Errorf("%q, %d searched: %d, want %d", row.p, row.searched, got, row.want)
		}
	}
}

// TestParseHead checks the framing of heads. TestHTTP in modes checks which ones are refused.
func TestParseHead(t *testing.T) {
	const eleven, ten = "GET / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n"
	for _, row := range []struct {
		p    string
		want Head
	}{
		{eleven + "\r\n", Head{Length: NoBody}},
		{eleven + "host:\tdemo \r\n\r\n", Head{Length: NoBody, hasHost: true}},
		{eleven + "CONTENT-LENGTH: 007 \r\n\r\n", Head{Length: 7, hasLength: true}},
		{ten + "Content-Length: 0\r\n\r\n", Head{hasLength: true}},
		{eleven + "Transfer-Encoding: CHUNKED\r\n\r\n", Head{Length: Chunked, isCoded: true}},
		{eleven + "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n", Head{Length: Chunked, isCoded: true, hasLength: true}},
		{eleven + "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n", Head{Length: Chunked, isCoded: true, hasLength: true}},
		{ten + "Transfer-Encoding: chunked\r\n\r\n", Head{Length: Chunked, isCoded: true, Err: server.ErrCoding}},
		{eleven + "Expect: 100-Continue\r\n\r\n", Head{Length: NoBody, expectsContinue: true}},
		{eleven + "Expect: tea\r\nExpect: 100-continue\r\n\r\n", Head{Length: NoBody, Err: server.ErrExpectation}},
		{"", Head{Length: NoBody, Err: server.ErrBadRequest}},
	} {
		var got Head
		if got.Parse([]byte(row.p)); got != row.want {
			t.Errorf("%q: %+v, want %+v", row.p, got, row.want)
		}
	}
	p := []byte(eleven + "Host: demo:80\r\nContent-Length: 7\r\nX: y\r\n\r\n")
	if n := testing.AllocsPerRun(100, func() { new(Head).Parse(p) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
