/** What runners need to know of this installation. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BubblewrapOptions } from '../tools/runners/bubblewrap.ts'
import { packageFolder } from './package-folder.ts'

/** The folder that holds the gateway's code and its dependencies: the workspace in a checkout, the package when installed. */
function gatewayRoot(): string {
  const workspace = join(packageFolder, '..')
  return existsSync(join(workspace, 'contract', 'package.json')) ? workspace : packageFolder
}

export function runnerOptions(protect: readonly string[] = []): BubblewrapOptions {
  return { nodePath: process.execPath, gatewayRoot: gatewayRoot(), protect, timeZone: process.env.TZ }
}
