package modes_test

import (
	"bytes"
	"fmt"
	"strings"
)

// A grammar builds requests from choices, one byte each, to let a fuzzer get past the first line and into the framing
// of the body. Most choices are valid, so invalid ones mostly occur alone.
type grammar struct {
	choices []byte
	out     bytes.Buffer
}

// build returns requests until the choices run out. The last one may be cut off.
func build(choices []byte) []byte {
	const most = 64 << 10
	g := grammar{choices: choices}
	for len(g.choices) > 0 && g.out.Len() < most {
		g.request()
	}
	if out := g.out.Bytes(); len(out) > 0 && len(choices)%4 == 3 {
		return out[:len(out)-1-len(choices)%len(out)]
	}
	return g.out.Bytes()
}

// choose returns a number below n.
func (g *grammar) choose(n int) int {
	if len(g.choices) == 0 {
		return 0
	}
	choice := g.choices[0]
	g.choices = g.choices[1:]
	return int(choice) % n
}

// one writes one of the alternatives.
func (g *grammar) one(alternatives ...string) {
	g.out.WriteString(alternatives[g.choose(len(alternatives))])
}

func (g *grammar) request() {
	g.one("GET ", "GET ", "POST ", "DELETE ")
	g.one("/", "/", "/nowhere", "http://demo/", "/?x=1", "/%2F", "/%zz", "http://user@demo/", "/#x", "*")
	g.one(" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/2.0\r\n", " HTTP/1.1\n")
	g.one("Host: demo\r\n", "Host: demo\r\n", "Host: demo:80\r\n", "host:[::1]\r\n", "", "Host: a b\r\n", "Host: demo\r\nHost: demo\r\n", "Host:\r\n")
	for range g.choose(3) {
		g.one("X: y\r\n", "X:\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "X Y: z\r\n", "X : y\r\n", ": y\r\n", "X: y\r\n z\r\n", "X: y\n", "X: \x00\r\n", "Content-Length: 2\r\n", "X\r\n")
	}
	switch g.choose(4) {
	case 0:
		g.one("\r\n", "\r\n", "\r\n\r\n", "\n")
	case 1:
		g.sized()
	default:
		g.chunked()
	}
}

func (g *grammar) sized() {
	n := []int{0, 1, 5, 1024, 1025}[g.choose(5)]
	g.one("Content-Length: ", "content-length:", "Content-Length: +", "Content-Length: 0")
	fmt.Fprintf(&g.out, "%d\r\n", n)
	g.one("\r\n", "\r\n", "Expect: 100-continue\r\n\r\n", "Expect: tea\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n")
	g.out.WriteString(strings.Repeat("x", max(0, n-g.choose(4)/3)))
}

func (g *grammar) chunked() {
	g.one("Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: Chunked\r\n\r\n", "transfer-encoding:chunked \r\n\r\n", "Transfer-Encoding: identity\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n\r\n")
	for range g.choose(4) {
		n := []int{1, 1, 5, 300, 1024}[g.choose(5)]
		g.one("", "", "0", "0000000000000000")
		fmt.Fprintf(&g.out, "%x", n)
		g.endOfSize()
		g.out.WriteString(strings.Repeat("x", n))
		g.one("\r\n", "\r\n", "\r\n", "\r\n", "\n", "x\r\n", "")
	}
	g.one("0", "0", "000", "")
	g.endOfSize()
	for range g.choose(3) {
		g.one("X: y\r\n", "X:\r\n", "X: "+strings.Repeat("y", 3000)+"\r\n", "X Y: z\r\n", "X\r\n", "X: y\n", "Content-Length: 5\r\n", " X: y\r\n", "\r", "X: \x7f\r\n")
	}
	g.one("\r\n", "\r\n", "\r\n", "\n", "\r", "")
}

// endOfSize writes the rest of a line with a chunk's size.
func (g *grammar) endOfSize() {
	g.one("", "", "", ";a", ";a=b;c=\"d\"", " ", " ;a", ";"+strings.Repeat("e", 1500), ";"+strings.Repeat("e", 5000), ";a\rb", "\x00")
	g.one("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "")
}
