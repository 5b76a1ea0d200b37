/** `turnward cluster`: who takes part in the installation of a configuration. Reads the shared state; no running gateway is asked. */
import type { Command } from 'commander'
import { readInstances } from '../../cluster/instances.ts'
import { readOpeningSettings } from '../../config/opening-settings.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { fail, print, table } from '../output.ts'
import { openSharedState } from '../shared-state.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface ClusterOptions {
  readonly config: string
  readonly json?: boolean
}

export function addCluster(program: Command): void {
  program
    .command('cluster')
    .description('the replicas of an installation')
    .command('status')
    .description('list the processes that take part: revision, load, chain of the decision log')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward cluster status --config turnward.yaml')
    .action(status)
}

async function status(options: ClusterOptions): Promise<void> {
  try {
    const settings = await readOpeningSettings(options.config, process.env)
    if (settings.state.kind !== 'valkey')
      throw new TurnwardError('config.invalid', {
        subject: 'state.kind',
        why: 'this configuration keeps its state in one process',
        fix: 'Name `store: { kind: postgres, … }` and `state: { kind: valkey, … }` for an installation of several.',
      })
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
