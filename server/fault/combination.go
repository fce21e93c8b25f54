package fault

import (
	"errors"
	"fmt"
	"slices"

	"demo-server/units"
)

// checkCombination returns an error for each combination of parameters that has no meaning, because one of them would be
// ignored. What only happens to a share of the requests goes with everything that may happen to the others.
func (s *Spec) checkCombination() error {
	return errors.Join(s.checkAfter(), s.checkAbort(), s.checkBodiless())
}

// checkAfter checks the combination that cuts a reply off. It needs the size, because the length of the body that the server
// usually sends is not known here.
func (s *Spec) checkAfter() error {
	if s.after == nil {
		return nil
	}
	cuts := func(a alternative[Abort]) bool { return a.value == Reset || a.value == Close }
	switch most := maxSizeOf(s.after); {
	case !slices.ContainsFunc(s.abort, cuts):
		return errors.New("after has no effect without abort=reset or abort=close")
	case s.size.sum() != certain:
		return errors.New("after needs the size of the body; write it as in size=64KiB&abort=reset&after=10KiB")
	case most >= minSizeOf(s.size):
		return fmt.Errorf("after=%s is not below the size of the body, %s", units.FormatSize(most), units.FormatSize(minSizeOf(s.size)))
	}
	return nil
}

// checkAbort checks what goes with a reply that is never sent whole.
func (s *Spec) checkAbort() error {
	certainly := s.abort.sum() == certain && !slices.ContainsFunc(s.abort, func(a alternative[Abort]) bool { return a.value == None })
	if !certainly {
		return nil
	}
	var ignored []error
	refuse := func(name string, given bool) {
		if given {
			ignored = append(ignored, fmt.Errorf("%s has no effect with abort=%s", name, s.abort[0].value))
		}
	}
	refuse("drip", s.drip != nil)
	if s.after == nil {
		refuse("status", s.status != nil)
		refuse("size", s.size != nil)
		refuse("retry_after", s.retryAfter != nil)
	}
	return errors.Join(ignored...)
}

// checkBodiless checks what goes with a status whose replies have no body.
func (s *Spec) checkBodiless() error {
	hasBody := func(a alternative[int]) bool { return !bodiless(a.value) }
	if s.status.sum() != certain || slices.ContainsFunc(s.status, hasBody) {
		return nil
	}
	switch status := s.status[0].value; {
	case s.size != nil && maxSizeOf(s.size) > 0:
		return fmt.Errorf("size has no effect with status=%d, which has no body", status)
	case s.drip != nil:
		return fmt.Errorf("drip has no effect with status=%d, which has no body", status)
	}
	return nil
}
