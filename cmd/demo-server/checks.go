package main

import (
	"errors"
	"slices"

	"demo-server/configs"
	"demo-server/server/fault"
	"demo-server/work/remote"
)

// settingChecks are those that need to know what the settings are for.
var settingChecks = []configs.Check{
	{Setting: "fault", With: []string{"work", "overrides", "max-delay", "max-size"}, Wrong: checkFault},
	{Setting: "target", With: []string{"work"}, Wrong: checkTarget},
	{Setting: "dsn", With: []string{"work"}, Wrong: checkDSN},
	{Setting: "work", With: []string{"dsn"}, Wrong: checkWork},
}

func checkFault(s *configs.Settings) error {
	_, err := faultOf(s)
	return err
}

// faultOf is what the settings ask for of every request.
func faultOf(s *configs.Settings) (fault.Spec, error) { return fault.ParseSetting(s.Fault, capsOf(s)) }

func capsOf(s *configs.Settings) fault.Caps {
	return fault.Caps{MaxDelay: s.MaxDelay, MaxSize: s.MaxSize, Kinds: slices.Sorted(slices.Values(s.Asked()))}
}

func checkTarget(s *configs.Settings) error {
	switch {
	case s.Target == "":
		return nil
	case s.Work == "http":
		return remote.CheckURL(s.Target)
	case s.Work == "grpc":
		return remote.CheckAddress(s.Target)
	}
	return nil
}

func checkDSN(s *configs.Settings) error {
	if s.DSN == "" || s.Work != "sql" {
		return nil
	}
	return remote.CheckDSN(string(s.DSN))
}

// errNoDSN says how to get a database, in one command and one flag that fits it.
var errNoDSN = errors.New(`"sql" needs a PostgreSQL; start one with: docker run --rm --detach` +
	` --publish 127.0.0.1:5432:5432 --env POSTGRES_PASSWORD=demo postgres,` +
	` and add --dsn=postgres://postgres:demo@127.0.0.1:5432/postgres`)

func checkWork(s *configs.Settings) error {
	if s.Work == "sql" && s.DSN == "" {
		return errNoDSN
	}
	return nil
}
