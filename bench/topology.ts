/** The processes scenarios are made of. */
import { fileURLToPath } from 'node:url'
import { startProcess, type Core, type MeasuredProcess } from './measured-process.ts'

function start(file: string, core: Core, args: readonly string[] = [], nodeFlags: readonly string[] = []): Promise<MeasuredProcess> {
  return startProcess({
    command: [process.execPath, ...nodeFlags, fileURLToPath(new URL(`servers/${file}.ts`, import.meta.url)), ...args],
    core,
  })
}

export const startVendor = (): Promise<MeasuredProcess> => start('vendor', 'others')
export const startDialectVendor = (): Promise<MeasuredProcess> => start('dialect-vendor', 'others')
export const startBareProxy = (vendor: string, nodeFlags?: readonly string[]): Promise<MeasuredProcess> =>
  start('bare-proxy', 'tested', [vendor], nodeFlags)
export const startMcpServer = (moreTools = 0): Promise<MeasuredProcess> => start('mcp-server', 'others', [String(moreTools)])
export const startBareHop = (server: string, nodeFlags?: readonly string[]): Promise<MeasuredProcess> =>
  start('bare-hop', 'tested', [server], nodeFlags)
export const startSdkHop = (server: string): Promise<MeasuredProcess> => start('sdk-hop', 'tested', [server])
