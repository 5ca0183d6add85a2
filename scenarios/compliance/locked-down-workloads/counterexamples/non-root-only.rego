# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
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
}

result if {
	count(input.workloads) > 0
	count(open) == 0
}
