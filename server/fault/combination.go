package fault

import (
	"errors"
	"fmt"
	"slices"

	"demo-server/units"
)

// checkCombination returns an error for each meaningless combination of parameters, of which one would be ignored. A
// parameter that only applies to a share of the requests may be combined with any that may apply to the others.
func (s *Spec) checkCombination() error {
	return errors.Join(s.checkAfter(), s.checkAbort(), s.checkBodiless())
}

// checkAfter checks after, which cuts a reply off. It needs size, because the length of the default body is unknown
// here.
func (s *Spec) checkAfter() error {
	if s.after == nil {
		return nil
	}
	cuts := func(a alternative[Abort]) bool { return a.value == Reset || a.value == Close }
	switch limit := maxSizeOf(s.after); {
	case !slices.ContainsFunc(s.abort, cuts):
		return errors.New("after has no effect without abort=reset or abort=close")
	case s.size.sum() != certain:
		return errors.New("after needs the size of the body; write it as in size=64KiB&abort=reset&after=10KiB")
	case limit >= minSizeOf(s.size):
		return fmt.Errorf("after=%s is not below the size of the body, %s", units.FormatSize(limit), units.FormatSize(minSizeOf(s.size)))
	}
	return nil
}

// checkAbort checks parameters next to an abort that replaces every reply.
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

// checkBodiless checks parameters next to a status without a body.
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
