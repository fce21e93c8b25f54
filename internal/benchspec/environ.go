package benchspec

import (
	"slices"
	"strings"
	"sync"

	"demo-server/configs"
	"demo-server/internal/catalog"
)

// ForPostgres reports whether a variable is one that PostgreSQL's clients read, such as PGPASSWORD.
func ForPostgres(variable string) bool { return strings.HasPrefix(variable, "PG") }

// secrets returns the set of the settings that are never shown, by name and by variable.
var secrets = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, setting := range catalog.Configs().Table() {
		if setting.Secret {
			all[setting.Name], all[setting.Variable()] = true, true
		}
	}
	return all
})

// childEnviron returns the part of environ that the server of a row needs. It includes the only secret that a row
// needs, the DSN in force if the work reads it, because every user of the machine can read flags.
func childEnviron(environ []string, settings *configs.Settings) (own []string) {
	sql := slices.Contains(catalog.Kind(settings).Settings, "dsn")
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "DEMO_SERVER_") && !secrets()[name] || sql && ForPostgres(variable) {
			own = append(own, variable)
		}
	}
	if sql {
		own = append(own, "DEMO_SERVER_DSN="+string(settings.DSN))
	}
	return own
}
