/** Is the shared state there, and do all replicas run on one configuration? */
import { readInstances } from '../../cluster/instances.ts'
import type { OpeningSettings } from '../../config/opening-settings.ts'
import { systemClock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { InstanceRecord } from '../../state/state-values.ts'
import { openSharedState } from '../shared-state.ts'
import type { Finding } from './finding.ts'

export interface StateFindings {
  readonly findings: readonly Finding[]
  readonly instances: readonly InstanceRecord[]
}

/** What the state says of itself when it is opened (a server that forgets under pressure) becomes a warning. */
export async function checkState(settings: OpeningSettings): Promise<StateFindings> {
  if (settings.state.kind === 'memory')
    return { findings: [{ check: 'state', level: 'ok', detail: 'in the memory of one process, kept in the store' }], instances: [] }
  const warnings: string[] = []
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (_fields, message) => warnings.push(message),
    error: (_fields, message) => warnings.push(message),
  }
  try {
    const state = await openSharedState(settings, { clock: systemClock, logger })
    try {
      const instances = await readInstances(state, systemClock)
      const findings = warnings.map((detail): Finding => ({ check: 'state', level: 'warning', detail }))
      return {
        findings: [{ check: 'state', level: 'ok', detail: 'Valkey answers' }, ...findings, ...replicaFindings(instances)],
        instances,
      }
    } finally {
      await state.close()
    }
  } catch (error) {
    const { message, fix } = asTurnwardError(error)
    return { findings: [{ check: 'state', level: 'problem', detail: message, fix }], instances: [] }
  }
}

/** What is odd about those that take part. */
export function replicaFindings(instances: readonly InstanceRecord[]): readonly Finding[] {
  const revisions = new Set(instances.map(({ revision }) => revision))
  const detail = `${instances.length} ${instances.length === 1 ? 'process takes' : 'processes take'} part`
  if (revisions.size < 2) return [{ check: 'replicas', level: 'ok', detail }]
  return [
    {
      check: 'replicas',
      level: 'warning',
      detail: `${detail}, on ${revisions.size} revisions of the configuration: ${[...revisions].join(', ')}`,
      fix: 'Give every replica the same configuration; `turnward cluster status` says which has which.',
    },
  ]
}
