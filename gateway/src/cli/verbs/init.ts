/** `turnward init`: writes a starter configuration and a key for it. Overwrites nothing unless told to. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { starterConfig, starterKeyPath, starterNotesPath } from '../../config/starter.ts'
import { TurnwardError } from '../../core/error.ts'
import { newVirtualKey } from '../../identity/ways/key/virtual-keys.ts'
import { fail, print } from '../output.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface InitOptions {
  readonly config: string
  readonly force?: boolean
  readonly json?: boolean
}

export function addInit(program: Command): void {
  program
    .command('init')
    .description('write a starter configuration and a key')
    .addOption(configOption())
    .option('--force', 'overwrite an existing configuration file')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward init && turnward start')
    .action(init)
}

async function init(options: InitOptions): Promise<void> {
  try {
    const path = resolve(options.config)
    if (existsSync(path) && options.force !== true) {
      throw new TurnwardError('request.invalid', {
        subject: path,
        why: 'it exists',
        fix: 'Choose another name with --config, or overwrite it with --force.',
      })
    }
    const folder = dirname(path)
    const keyPath = join(folder, starterKeyPath)
    await mkdir(join(folder, starterNotesPath), { recursive: true })
    await mkdir(dirname(keyPath), { recursive: true, mode: 0o700 })
    // A key that exists may be in use: it stays.
    if (!existsSync(keyPath)) await writeFile(keyPath, `${newVirtualKey()}\n`, { mode: 0o600 })
    await writeFile(path, starterConfig)
    print(
      options,
      { config: path, key: keyPath, posture: 'observe' },
      `Wrote ${path}\nKey in ${keyPath} (readable by you only)\n\nNext:\n  $ npm install @modelcontextprotocol/server-filesystem   # the MCP server of the example\n  $ turnward check --config ${options.config}\n  $ turnward start --config ${options.config}

It observes: every tool call is decided and recorded, and only missing grants refuse one. When agents have worked for a while:
  $ turnward policy suggest --config ${options.config}     # contracts for tools nobody described
  $ turnward policy readiness --config ${options.config}   # what \`posture: standard\` would have refused; switching is that one word`,
    )
  } catch (error) {
    fail(options, error)
  }
}
