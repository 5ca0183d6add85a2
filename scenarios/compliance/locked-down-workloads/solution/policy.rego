package check

import rego.v1

default result := false

open contains [workload.name, container.name] if {
	some workload in input.workloads
	some container in workload.containers
	not locked_down(container)
}

locked_down(container) if {
	container.nonRoot == true
	container.readOnly == true
}

result if {
	count(input.workloads) > 0
	count(open) == 0
}
