package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

// The age and size of the trace that a Recorder keeps. A busy server reaches the size first.
const (
	recorderAge   = 10 * time.Second
	recorderBytes = 16 << 20
)

// A Recorder keeps the last seconds of the process's execution trace in memory. Create it with StartRecorder.
type Recorder struct {
	mu       sync.Mutex // held during a snapshot and while it stops
	recorder *trace.FlightRecorder
}

// StartRecorder starts recording. It fails if the process already has a Recorder.
func StartRecorder() (*Recorder, error) {
	r := &Recorder{recorder: trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: recorderAge, MaxBytes: recorderBytes})}
	if err := r.recorder.Start(); err != nil {
		return nil, fmt.Errorf("flight recorder: %w", err)
	}
	return r, nil
}

// Stop ends recording after the current snapshot, if there is one.
func (r *Recorder) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorder.Stop()
}

// snapshot returns a copy of the trace, because neither the lock nor the runtime should wait for a slow client.
func (r *Recorder) snapshot() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var copied bytes.Buffer
	_, err := r.recorder.WriteTo(&copied)
	return copied.Bytes(), err
}

func (s *Server) trace(w http.ResponseWriter, _ *http.Request) {
	if s.config.Recorder == nil {
		http.Error(w, "not found: start with --flight-recorder to record traces", http.StatusNotFound)
		return
	}
	snapshot, err := s.config.Recorder.snapshot()
	if err != nil {
		http.Error(w, "flight recorder: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="demo-server.trace"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(snapshot)))
	w.Write(snapshot) // it fails only if the client is gone
}
