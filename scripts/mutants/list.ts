/** Every deliberate fault, by floor. To add one: the smallest change that breaks a promise, and the tests that keep it. */
import { agentFaults } from './faults/agents.ts'
import { auditFaults } from './faults/audit.ts'
import { clientFaults } from './faults/clients.ts'
import { configFaults } from './faults/config.ts'
import { historyFaults } from './faults/history.ts'
import { http1Faults } from './faults/http1.ts'
import { identityFaults } from './faults/identity.ts'
import { policyFaults } from './faults/policy.ts'
import { relayFaults } from './faults/relay.ts'
import { settlingFaults } from './faults/settling.ts'
import { toolCallFaults } from './faults/tool-calls.ts'
import { toolsFaults } from './faults/tools.ts'
import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [
  ...policyFaults,
  ...historyFaults,
  ...agentFaults,
  ...settlingFaults,
  ...toolCallFaults,
  ...relayFaults,
  ...http1Faults,
  ...identityFaults,
  ...auditFaults,
  ...clientFaults,
  ...toolsFaults,
  ...configFaults,
]
