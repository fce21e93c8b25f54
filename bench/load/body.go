package load

import (
	"errors"
	"hash/maphash"
	"io"
	"sync"

	"github.com/valyala/fasthttp"
)

// maxReply is how long a body may be, in bytes. A longer one counts as broken, and its connection is closed.
const maxReply = 64 << 20

var errEndless = errors.New("the body is longer than any that is measured")

// A fingerprint tells one body from another, so that no body has to be kept.
type fingerprint struct {
	length int
	hash   uint64
}

var seed = maphash.MakeSeed()

func fingerprintOf(body []byte) fingerprint { return fingerprint{len(body), maphash.Bytes(seed, body)} }

// buffers are only held while a body is read: a client that waits for its reply has none.
var buffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// readBody reads the body of a reply to its end. Its connection is closed if it is not read as far as that.
func readBody(response *fasthttp.Response) (fingerprint, error) {
	stream := response.BodyStream()
	if stream == nil { // a status that has none
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
