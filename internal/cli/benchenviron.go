package cli

import (
	"os"
	"slices"
	"strings"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/internal/service/supervisor"
)

// forgetSettings takes out of this process's environment what is for it alone, since all that bench starts inherits the
// rest: load generators, nginx and Python have no use for settings and passwords. A server of its own gets what it needs
// by its row (childEnviron).
func forgetSettings() {
	environ := os.Environ()
	kept := slices.DeleteFunc(supervisor.Environ(environ), forPostgres)
	for _, variable := range environ {
		if !slices.Contains(kept, variable) {
			name, _, _ := strings.Cut(variable, "=")
			os.Unsetenv(name)
		}
	}
}

// forPostgres reports whether a variable is one that PostgreSQL's clients read, such as PGPASSWORD.
func forPostgres(variable string) bool { return strings.HasPrefix(variable, "PG") }

// secretVariables are those of settings that are never shown.
var secretVariables = func() map[string]bool {
	variables := map[string]bool{}
	for _, setting := range catalog.Configs().Table() {
		variables[setting.Variable()] = setting.Secret
	}
	return variables
}()

// childEnviron is the part of environ that the server of a row needs. Secrets are handed over by it, and not by flags, which
// everybody on the machine can read: the DSN in force if the work reads it, and no others.
func childEnviron(environ []string, settings *configs.Settings) (own []string) {
	sql := slices.Contains(catalog.Kind(settings).Settings, "dsn")
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "DEMO_SERVER_") && !secretVariables[name] || sql && forPostgres(variable) {
			own = append(own, variable)
		}
	}
	if sql {
		own = append(own, "DEMO_SERVER_DSN="+string(settings.DSN))
	}
	return own
}
