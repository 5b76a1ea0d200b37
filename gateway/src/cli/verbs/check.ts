/** `turnward check`: says whether a configuration would be taken, and everything that is wrong with it. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { fail, print } from '../output.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check the configuration file')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward check --config turnward.yaml')
    .action(async (options: { config: string; json?: boolean }) => {
      try {
        const snapshot = await loadConfig(options.config, process.env)
        const counts = {
          upstreams: snapshot.upstreams.size,
          models: snapshot.routes.names.length,
          servers: snapshot.servers.size,
          gateways: snapshot.gateways.size,
          keys: snapshot.keys.size,
          rules: snapshot.policy.rules.length,
        }
        const summary = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
        print(options, { ok: true, revision: snapshot.revision, files: snapshot.files, ...counts }, `ok: revision ${snapshot.revision}: ${summary.join(', ')}`)
      } catch (error) {
        fail(options, error)
      }
    })
}
