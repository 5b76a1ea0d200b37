/** `turnward doctor`: looks at everything a configuration stands on, and says what will not work before a call finds out. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { readOpeningSettings } from '../../config/opening-settings.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { installAgain, whyNotAsInstalled } from '../../tools/installed/installed-tree.ts'
import { createRunners, runnerOf } from '../../tools/runners/runners.ts'
import type { Finding } from '../doctor/finding.ts'
import { findIssuers } from '../doctor/issuer-checks.ts'
import { managedFindings } from '../doctor/managed-checks.ts'
import { checkNetworks } from '../doctor/network-checks.ts'
import { checkSandbox } from '../doctor/sandbox-checks.ts'
import { checkState } from '../doctor/state-checks.ts'
import { checkStore } from '../doctor/store-checks.ts'
import { exitCodes } from '../exit-codes.ts'
import { openConfig } from '../opening-config.ts'
import { fail, print } from '../output.ts'
import { runnerOptions } from '../runner-options.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface DoctorOptions {
  readonly config: string
  readonly json?: boolean
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check what a configuration stands on: store, shared state, replicas, sandbox')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward doctor --config turnward.yaml\n\nExit code 5 when something will not work.')
    .action(doctor)
}

const marks: Readonly<Record<Finding['level'], string>> = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' }

async function doctor(options: DoctorOptions): Promise<void> {
  try {
    const settings = await readOpeningSettings(options.config, process.env)
    const { findings: state, instances } = await checkState(settings)
    const store = await checkStore(settings, Math.max(1, instances.length))
    const findings = [...(await checkConfiguration(options.config)), ...store, ...state]
    const lines = findings.flatMap(({ check, level, detail, fix }) => [
      `${marks[level]}  ${check}: ${detail}`,
      ...(fix === undefined || level === 'ok' ? [] : [`         ${fix}`]),
    ])
    const ok = findings.every(({ level }) => level !== 'problem')
    print(options, { ok, findings }, lines.join('\n'))
    if (!ok) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

/** The configuration as a whole, and whether the servers it starts can be started here. */
async function checkConfiguration(path: string): Promise<readonly Finding[]> {
  try {
    const snapshot = await configurationAt(path)
    const findings: Finding[] = [
      { check: 'configuration', level: 'ok', detail: `revision ${snapshot.revision}` },
      ...managedFindings(snapshot.managed),
    ]
    const runners = createRunners(runnerOptions([snapshot.dataDir]))
    for (const server of snapshot.servers.values()) {
      if (server.config.transport !== 'stdio') continue
      const missing = await runnerOf(runners, server).available(server)
      if (missing !== undefined) findings.push({ check: `server ${server.name}`, level: 'problem', detail: missing })
      const changed = await whyNotAsInstalled(server)
      if (changed !== undefined)
        findings.push({ check: `server ${server.name}`, level: 'problem', detail: changed, fix: installAgain(server.name) })
    }
    return [...findings, ...(await findIssuers(snapshot)), ...(await checkNetworks(snapshot)), ...(await checkSandbox(snapshot))]
  } catch (error) {
    const { message, fix } = asTurnwardError(error)
    return [{ check: 'configuration', level: 'problem', detail: message, fix }]
  }
}

/** As a gateway that is started now would have it, with what was made over the API. */
async function configurationAt(configPath: string): Promise<Snapshot> {
  try {
    const { config, store } = await openConfig({ configPath, env: process.env, logger: silentLogger })
    config.close()
    await store.close()
    return config.current
  } catch (error) {
    // What is wrong with the store is a finding of its own.
    if (asTurnwardError(error).code === 'store.failed') return loadConfig(configPath, process.env)
    throw error
  }
}
