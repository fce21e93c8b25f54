package service

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/work"
	"demo-server/work/kinds"
)

// works are the open kinds of work of a server.
type works struct {
	defaultWork work.Work            // of a request that asks for no other
	requestable map[string]work.Work // by name, of requests that do
	closers     []io.Closer          // in the order in which they were opened
}

// openWorks opens the kinds of work that settings ask for. It does not wait for a dependency: that is for Check of a
// work.Dependent.
func openWorks(settings *configs.Settings) (*works, error) {
	w := &works{requestable: map[string]work.Work{}}
	var err error
	if w.defaultWork, err = w.open(settings.Work, settings); err != nil {
		return nil, errors.Join(err, w.close())
	}
	for _, name := range catalog.Configs().Requestable(settings) {
		if name == settings.Work {
			w.requestable[name] = w.defaultWork // and shares its pool
		} else if w.requestable[name], err = w.open(name, settings); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func (w *works) open(name string, settings *configs.Settings) (work.Work, error) {
	opened, closers, err := kinds.Named(name).Open(catalog.WorkOptions(settings))
	if err != nil {
		return nil, fmt.Errorf("work %s: %w", name, err)
	}
	w.closers = append(w.closers, closers...)
	return opened, nil
}

// close closes everything, the last opened first. No work may be under way.
func (w *works) close() error {
	var errs []error
	for _, closer := range slices.Backward(w.closers) {
		errs = append(errs, closer.Close())
	}
	w.closers = nil
	return errors.Join(errs...)
}
