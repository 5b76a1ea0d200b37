/** The kinds of guards: a line each, with what looks at texts by itself and what asks somebody. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../config/snapshot.ts'
import type { Examiner } from './examiner.ts'
import type { Inspector } from './guard.ts'
import { inspectInvisible } from './invisible.ts'
import { inspectPatterns } from './patterns.ts'
import { inspectPii } from './pii/pii.ts'
import { inspectSecrets } from './secrets.ts'
import { examineByAzure } from './services/azure-content-safety.ts'
import { examineByBedrock } from './services/bedrock-guardrails.ts'
import { examineByJudge } from './services/judge.ts'
import { examineByLakera } from './services/lakera.ts'
import { examineByModelArmor } from './services/model-armor.ts'
import { examineByModeration } from './services/moderation.ts'
import { examineByPresidio } from './services/presidio.ts'
import { examineTopics } from './services/topics.ts'
import { examineByWebhook } from './services/webhook.ts'

/** One of the two. */
interface OpenGuard {
  readonly inspector?: Inspector
  readonly examiner?: Examiner
}

type Kind = GuardConfig['kind']

const kinds: { readonly [K in Kind]: (config: Extract<GuardConfig, { kind: K }>, guard: Guard) => OpenGuard } = {
  patterns: (config, guard) => ({ inspector: inspectPatterns(guard, config) }),
  secrets: (config) => ({ inspector: inspectSecrets(config) }),
  pii: (config) => ({ inspector: inspectPii(config) }),
  invisible: (config) => ({ inspector: inspectInvisible(config) }),
  webhook: (config, guard) => ({ examiner: examineByWebhook(config, guard) }),
  lakera: (config, guard) => ({ examiner: examineByLakera(config, guard) }),
  presidio: (config, guard) => ({ examiner: examineByPresidio(config, guard) }),
  'bedrock-guardrails': (config, guard) => ({ examiner: examineByBedrock(config, guard) }),
  'azure-content-safety': (config, guard) => ({ examiner: examineByAzure(config, guard) }),
  'model-armor': (config, guard) => ({ examiner: examineByModelArmor(config, guard) }),
  moderation: (config, guard) => ({ examiner: examineByModeration(config, guard) }),
  topics: (config, guard) => ({ examiner: examineTopics(config, guard) }),
  judge: (config, guard) => ({ examiner: examineByJudge(config, guard) }),
}

const opened = new WeakMap<Guard, OpenGuard>()

/** How a guard looks; made once for each revision of its configuration. */
export function openGuard(guard: Guard): OpenGuard {
  let open = opened.get(guard)
  if (open === undefined) {
    const make = kinds[guard.config.kind] as (config: GuardConfig, guard: Guard) => OpenGuard
    opened.set(guard, (open = make(guard.config, guard)))
  }
  return open
}
