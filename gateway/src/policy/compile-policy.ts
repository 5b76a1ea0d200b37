/** Compiles the parts of the configuration that make a policy, and gathers every problem in them. */
import type { Config } from '@turnward/contract/config'
import { compileRules } from './conditions.ts'
import { compileContracts } from './contracts.ts'
import { compileDirectory, directoryProblems, readerNames } from './directory.ts'
import { GrantIndex } from './grant-index.ts'
import { grantLines } from './grants.ts'
import { ownToolContracts, ownToolGrant, ownTools } from './own-tools.ts'
import { packContracts } from './packs/packs.ts'
import type { PolicyProblem } from './problem.ts'
import { namesAreTold } from './told-names.ts'
import type { Policy } from './types.ts'

export type PolicyConfig = Pick<Config, 'policy' | 'principals' | 'groups' | 'grants' | 'packs' | 'contracts' | 'rules'> &
  Partial<Pick<Config, 'gateways' | 'identity' | 'quarantine'>>

export interface CompiledPolicy {
  readonly policy: Policy
  /** Not empty: the policy must not be used. */
  readonly problems: readonly PolicyProblem[]
}

/** Compiles a validated configuration. References of grants to principals and groups are checked by the config room. */
export function compilePolicy(config: PolicyConfig): CompiledPolicy {
  const own = ownTools(config)
  const { posture, trust: trustRanks, tools, conditions } = config.policy
  const {
    contractOf,
    contracts,
    problems: contractProblems,
  } = compileContracts(config.contracts, { trustRanks, names: readerNames(config), conditions }, [
    ...packContracts(config.packs, trustRanks.length - 1),
    ...ownToolContracts(own),
  ])
  const { rules, problems: ruleProblems } = compileRules(config.rules, { conditions, trustRanks })
  const repeated = trustRanks.flatMap((name, index) => (trustRanks.indexOf(name) === index ? [] : [index]))
  return {
    policy: {
      posture,
      trustRanks,
      hide: tools.hide,
      ownTools: own,
      grants: new GrantIndex([...grantLines(config), ...(own.length > 0 ? [ownToolGrant(own)] : [])]),
      rules,
      contractOf,
      contracts,
      directory: compileDirectory(config.principals, { isOpen: namesAreTold(config.identity) }),
    },
    problems: [
      ...repeated.map((index) => ({ path: ['policy', 'trust', index], message: 'this trust rank is named twice' })),
      ...directoryProblems(config),
      ...contractProblems,
      ...ruleProblems,
    ],
  }
}
