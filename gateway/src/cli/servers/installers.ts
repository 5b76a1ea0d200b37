/** The registries servers are installed from. */
import type { Installer } from './installer.ts'
import { npmInstaller } from './installing-npm.ts'
import { pythonInstaller } from './installing-python.ts'
import type { PackageReference } from './package-reference.ts'

export const installers: Readonly<Record<PackageReference['registry'], Installer>> = { npm: npmInstaller, pypi: pythonInstaller }
