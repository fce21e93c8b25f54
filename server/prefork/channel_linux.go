package prefork

import (
	"net"
	"os"
	"syscall"
)

// newChannel returns the two ends of an unnamed socket that passes one descriptor per message. Only processes that hold
// an end can use it. No other process can connect to it, or take its place after the worker has exited.
func newChannel() (ours *net.UnixConn, theirs *os.File, err error) {
	ours, theirs, err = pair(syscall.SOCK_SEQPACKET)
	if err == nil {
		ours.SetWriteBuffer(channelBuffer) // on an error, the default has room for a few hundred
	}
	return ours, theirs, err
}

// channelBuffer has room for some 80 descriptors that the worker has not received. The kernel counts them against the
// user's limit on open files, and a worker that hangs must not use up that limit for the others.
const channelBuffer = 32 << 10

// newStream returns the two ends of an unnamed stream socket.
func newStream() (ours *net.UnixConn, theirs *os.File, err error) { return pair(syscall.SOCK_STREAM) }

func pair(kind int) (ours *net.UnixConn, theirs *os.File, err error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(ends[1]), "socketpair")
	if ours, err = unixConn(ends[0]); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// unixConn returns a connection that owns a descriptor.
func unixConn(descriptor int) (*net.UnixConn, error) {
	file := os.NewFile(uintptr(descriptor), "socket")
	defer file.Close() // the connection has a duplicate
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// pass sends a file through the channel. It never blocks: if the receiver has stopped receiving, it returns an error.
func pass(channel *net.UnixConn, file *os.File) error {
	raw, err := channel.SyscallConn()
	if err != nil {
		return err
	}
	rights := syscall.UnixRights(int(file.Fd()))
	var sent error
	err = raw.Write(func(descriptor uintptr) bool {
		sent = syscall.Sendmsg(int(descriptor), []byte{0}, rights, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
		return true
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("sendmsg", sent)
}

// receive waits for the next connection from pass. It returns nil if the descriptor was lost because this process has
// too many open files, and io.EOF if the other end is closed.
func receive(channel *net.UnixConn) (*net.UnixConn, error) {
	control := make([]byte, syscall.CmsgSpace(4)) // room for one descriptor
	_, n, _, _, err := channel.ReadMsgUnix(make([]byte, 1), control)
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		return nil, err
	}
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) == 0 {
		return nil, err
	}
	return unixConn(descriptors[0])
}
