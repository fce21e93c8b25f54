package configs

import (
	"regexp"
	"strings"
)

// Kubernetes adds variables to every container of a pod for each Service in its namespace: the variables of Docker's
// links, and a host and a port (Kubernetes documentation, "Discovering Services"). If the name of the Service is
// demo-server or begins with demo-server-, they begin with DEMO_SERVER_.
var (
	serviceVariable = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	serviceAddress  = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// fromKubernetes reports whether Kubernetes sets a variable of that name and value for a Service. For *_PORT the name
// is not enough: DEMO_SERVER_PORT is also a setting, whose value is a number.
func fromKubernetes(variable, value string) bool {
	return serviceVariable.MatchString(variable) ||
		strings.HasSuffix(variable, "_PORT") && serviceAddress.MatchString(value)
}
