/** Compiles the policy part of the configuration and passes its problems on with their positions. */
import type { Config } from '@turnward/contract/config'
import { compilePolicy } from '../policy/compile-policy.ts'
import type { Policy } from '../policy/types.ts'
import type { ReportAt } from './problems.ts'

/** The compiled policy. It must not be used when anything was reported. */
export function checkPolicy(config: Config, report: ReportAt): Policy {
  const { policy, problems } = compilePolicy(config)
  for (const { path, message } of problems) {
    // The policy room writes its suggestion into the sentence; here it is a field of its own.
    const [, sentence = message, suggestion] = /^([\s\S]*?)(?:; did you mean `([^`]*)`\?)?$/.exec(message) ?? []
    report(path, sentence.replaceAll(/\s+/g, ' '), { suggestion, where: path.length <= 2 ? 'key' : 'value' })
  }
  return policy
}
