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
	defaultWork work.Work            // of requests that do not ask for another
	requestable map[string]work.Work // that requests may ask for, by name
	closers     []io.Closer          // in the order of opening
}

// openWorks opens the kinds of work that settings ask for. It does not wait for a dependency, because the Check of a
// work.Dependent does that.
func openWorks(settings *configs.Settings) (*works, error) {
	w := &works{requestable: map[string]work.Work{}}
	var err error
	if w.defaultWork, err = w.open(settings.Work, settings); err != nil {
		return nil, errors.Join(err, w.close())
	}
	for _, name := range catalog.Configs().Requestable(settings) {
		if name == settings.Work {
			w.requestable[name] = w.defaultWork // to share its pool
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

// close closes everything, the last opened first. No request may be in flight.
func (w *works) close() error {
	var errs []error
	for _, closer := range slices.Backward(w.closers) {
		errs = append(errs, closer.Close())
	}
	w.closers = nil
	return errors.Join(errs...)
}
