package load

import (
	"errors"
	"hash/maphash"
	"io"
	"sync"

	"github.com/valyala/fasthttp"
)

// maxReply is the max length of a body in bytes. A longer one counts as broken, and its connection is closed.
const maxReply = 64 << 20

var errEndless = errors.New("the body is longer than any that is measured")

// A fingerprint identifies a body without keeping it.
type fingerprint struct {
	length int
	hash   uint64
}

var seed = maphash.MakeSeed()

func fingerprintOf(body []byte) fingerprint { return fingerprint{len(body), maphash.Bytes(seed, body)} }

// buffers holds buffers for reading a body. A client that waits for its reply has none.
var buffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// readBody reads a reply's body to its end. If it stops earlier, the connection is closed.
func readBody(response *fasthttp.Response) (fingerprint, error) {
	stream := response.BodyStream()
	if stream == nil { // a status without a body
		return fingerprintOf(nil), nil
	}
	defer response.CloseBodyStream()
	if response.Header.ContentLength() > maxReply {
		return fingerprint{}, errEndless
	}
	buffer := buffers.Get().(*[8 << 10]byte)
	defer buffers.Put(buffer)
	var hash maphash.Hash
	hash.SetSeed(seed)
	length := 0
	for {
		n, err := stream.Read(buffer[:])
		hash.Write(buffer[:n])
		length += n
		switch {
		case errors.Is(err, io.EOF):
			return fingerprint{length, hash.Sum64()}, nil
		case err != nil:
			return fingerprint{}, err
		case length > maxReply:
			return fingerprint{}, errEndless
		}
	}
}
