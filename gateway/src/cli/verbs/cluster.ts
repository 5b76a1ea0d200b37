/** `turnward cluster`: who takes part in the installation of a configuration, and its shared state. No running gateway is asked. */
import type { Command } from 'commander'
import { readInstances } from '../../cluster/instances.ts'
import { readOpeningSettings, type OpeningSettings } from '../../config/opening-settings.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, table } from '../output.ts'
import { openStore } from '../../store/store.ts'
import { storePlaceOf } from '../places.ts'
import { openSharedState, resetSharedState } from '../shared-state.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface ClusterOptions {
  readonly config: string
  readonly json?: boolean
}

export function addCluster(program: Command): void {
  const cluster = program.command('cluster').description('the replicas of an installation')
  cluster
    .command('reset-state')
    .description('forget all sessions, tickets and leases, so that what begins afterwards counts as new')
    .requiredOption('--yes', 'that no agent is at work: what they have read is forgotten')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nFor after Valkey was emptied, when sessions begin as unknown and no agent of before is at work any more.\n\nExample:\n  $ turnward cluster reset-state --yes --config turnward.yaml',
    )
    .action(resetState)
  cluster
    .command('status')
    .description('list the processes that take part: revision, load, chain of the decision log')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward cluster status --config turnward.yaml')
    .action(status)
}

async function status(options: ClusterOptions): Promise<void> {
  try {
    const settings = await sharedSettings(options)
    const state = await openSharedState(settings, { clock: systemClock, logger: silentLogger })
    try {
      const found = await readInstances(state, systemClock)
      const revisions = [...new Set(found.map(({ revision }) => revision))]
      const rows = found.map((one) => [
        one.replica,
        String(one.worker),
        one.revision,
        one.version,
        String(one.running),
        new Date(one.started).toISOString(),
        one.address ?? '-',
        one.chain,
      ])
      const text =
        found.length === 0
          ? 'Nobody takes part at the moment.'
          : table([['REPLICA', 'WORKER', 'REVISION', 'VERSION', 'RUNNING', 'STARTED', 'ADDRESS', 'CHAIN'], ...rows])
      const warning = revisions.length > 1 ? `\n\nThe configuration differs: ${revisions.join(', ')}.` : ''
      print(options, { instances: found, revisions }, `${text}${warning}`)
    } finally {
      await state.close()
    }
  } catch (error) {
    fail(options, error)
  }
}

async function resetState(options: ClusterOptions): Promise<void> {
  try {
    const settings = await sharedSettings(options)
    const store = await openStore(storePlaceOf(settings))
    try {
      const reason = 'Forgets all sessions, tickets and leases.'
      await noteAct(store, { verb: 'turnward cluster', act: 'cluster.reset_state', subject: 'the shared state', reason })
      await resetSharedState(settings, store.notedMarks)
      print(options, { reset: true }, 'The shared state begins anew. Sessions that begin from now on have read nothing.')
    } finally {
      await store.close()
    }
  } catch (error) {
    fail(options, error)
  }
}

/** Throws ConfigError, and `config.invalid` for a configuration of one process. */
async function sharedSettings({ config }: ClusterOptions): Promise<OpeningSettings> {
  const settings = await readOpeningSettings(config, process.env)
  if (settings.state.kind === 'valkey') return settings
  throw new TurnwardError('config.invalid', {
    subject: 'state.kind',
    why: 'this configuration keeps its state in one process',
    fix: 'Name `store: { kind: postgres, … }` and `state: { kind: valkey, … }` for an installation of several.',
  })
}
