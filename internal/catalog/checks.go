package catalog

import (
	"slices"

	"demo-server/configs"
	"demo-server/server/fault"
	"demo-server/work"
	"demo-server/work/kinds"
)

// checks returns the checks of values that only a mode or a kind of work can judge.
func checks() []configs.Check {
	all := []configs.Check{{
		Setting: "fault", DependsOn: []string{"work", "overrides", "max-delay", "max-size"},
		Func: func(s *configs.Settings) error {
			_, err := Fault(s)
			return err
		},
	}}
	for _, kind := range kinds.All {
		for _, check := range kind.Checks {
			all = append(all, checkOf(kind, check))
		}
	}
	return all
}

// checkOf turns a check of a kind of work into a check of settings that choose this kind.
func checkOf(kind work.Kind, check work.Check) configs.Check {
	return configs.Check{
		Setting: check.Setting, DependsOn: append([]string{"work"}, check.DependsOn...),
		Func: func(s *configs.Settings) error {
			if s.Work != kind.Name {
				return nil
			}
			return check.Func(WorkOptions(s))
		},
	}
}

// Missing returns an error if the settings lack something that the kind of work of that name needs.
func Missing(s *configs.Settings, kind string) error {
	for _, check := range kinds.Named(kind).Checks {
		if check.Setting != "work" {
			continue
		}
		if err := check.Func(WorkOptions(s)); err != nil {
			return err
		}
	}
	return nil
}

// Fault parses the faults in the settings.
func Fault(s *configs.Settings) (fault.Spec, error) { return fault.ParseSetting(s.Fault, Caps(s)) }

// Caps returns the limits on the overrides of a request.
func Caps(s *configs.Settings) fault.Caps {
	return fault.Caps{MaxDelay: s.MaxDelay, MaxSize: s.MaxSize, Kinds: slices.Sorted(slices.Values(Configs().Requestable(s)))}
}
