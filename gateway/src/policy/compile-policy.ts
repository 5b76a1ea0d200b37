/** Compiles the parts of the configuration that make a policy, and gathers every problem in them. */
import type { Config } from '@turnward/contract/config'
import { digestJson } from '../core/hash.ts'
import { defaultApproverProblems } from './approval-terms.ts'
import { compileRules } from './conditions.ts'
import { compileContracts } from './contracts.ts'
import { compileDirectory, directoryProblems, readerNames } from './directory.ts'
import { GrantIndex } from './grant-index.ts'
import { grantLines } from './grants.ts'
import { ownToolContracts, ownToolGrant, ownTools } from './own-tools.ts'
import { boundPacks, packContracts } from './packs/packs.ts'
import type { PolicyProblem } from './problem.ts'
import { namesAreTold } from './told-names.ts'
import type { Policy } from './types.ts'
import { compileNamedValues } from './values/named-values.ts'

export type PolicyConfig = Pick<Config, 'policy' | 'principals' | 'groups' | 'grants' | 'packs' | 'contracts' | 'rules'> &
  Partial<Pick<Config, 'gateways' | 'identity' | 'quarantine' | 'isolate' | 'approvals' | 'values'>>

export interface CompiledPolicy {
  readonly policy: Policy
  /** Not empty: the policy must not be used. */
  readonly problems: readonly PolicyProblem[]
}

/** Compiles a validated configuration. References of grants to principals and groups are checked by the config room. */
export function compilePolicy(config: PolicyConfig): CompiledPolicy {
  const own = ownTools(config)
  const { posture, trust: trustRanks, tools, conditions } = config.policy
  const { lists: values, problems: valueProblems } = compileNamedValues(config.values ?? {})
  const {
    contractOf,
    contracts,
    problems: contractProblems,
  } = compileContracts(config.contracts, { trustRanks, names: readerNames(config), conditions, approvers: config, values }, [
    ...packContracts(config.packs, trustRanks.length - 1),
    ...ownToolContracts(own),
  ])
  const { rules, problems: ruleProblems } = compileRules(config.rules, { conditions, trustRanks, approvers: config })
  const repeated = trustRanks.flatMap((name, index) => (trustRanks.indexOf(name) === index ? [] : [index]))
  return {
    policy: {
      posture,
      trustRanks,
      hide: tools.hide,
      canEndorse: contracts.some(({ requires }) => requires.approval?.insteadOf.includes('provenance') === true),
      ownTools: own,
      grants: new GrantIndex([...grantLines(config), ...(own.length > 0 ? [ownToolGrant(own)] : [])]),
      rules,
      contractOf,
      contracts,
      packs: boundPacks(config.packs).map(({ pack, server }) => ({ pack, server })),
      directory: compileDirectory(config.principals, { isOpen: namesAreTold(config.identity) }),
      surroundings: {
        ranks: digestJson([trustRanks, conditions]),
        directory: digestJson([config.principals, config.groups, namesAreTold(config.identity)]),
        values: digestJson(config.values ?? {}),
      },
    },
    problems: [
      ...repeated.map((index) => ({ path: ['policy', 'trust', index], message: 'this trust rank is named twice' })),
      ...directoryProblems(config),
      ...valueProblems,
      ...defaultApproverProblems(config),
      ...contractProblems,
      ...ruleProblems,
    ],
  }
}
