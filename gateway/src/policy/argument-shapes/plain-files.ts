/**
 * Files that nothing acts on by itself: a change of them waits for somebody who reads, runs or builds. Not among them: what a
 * shell, an editor, git or an agent runs or obeys the next time it starts, which would make an edit a command.
 */

/** Folders and files that begin with a dot and that nothing on this machine runs. */
const harmlessDots =
  /^\.(?:github|gitignore|dockerignore|npmignore|prettierignore|eslintignore|editorconfig|env\.example|nvmrc|node-version|python-version|changeset|storybook|prettierrc(?:\.[a-z]+)?|eslintrc(?:\.[a-z]+)?)$/
/** What agents read as the word of their developer. */
const instructions =
  /^(?:claude|claude\.local|agents?|agents\.override|gemini|qwen|cline|codex|copilot-instructions|conventions|rules|skill)\.mdc?$|^memory\.md$/
/** Folders whose programs start with the session of a person. */
const startsAlone = /^(?:appdata|launchagents|launchdaemons|autostart|startup)$/
const systemFolders = /^\/(?:etc|usr|bin|sbin|lib|lib64|boot|dev|proc|sys|run|var|opt|system|library)(?:\/|$)/

/** Whether a path is one of a file that nothing acts on by itself. */
export function isPlainFile(path: string): boolean {
  // A look-alike of a dot is no dot to a file system, but what is compared here must be what is opened there.
  if (path.length === 0 || path.length > 1024 || !/^[\x20-\x7e\u00a0-\u2027\u2030-\u{10ffff}]+$/u.test(path)) return false
  const plain = path.normalize('NFKC').replaceAll('\\', '/').toLowerCase()
  if (systemFolders.test(plain) || plain.startsWith('~') || plain.includes('://')) return false
  const segments = plain.split('/').filter((segment) => segment !== '' && segment !== '.')
  return (
    segments.length > 0 &&
    segments.every(
      (segment) =>
        // A drive or a stream of Windows, and names it reads without their end.
        (!segment.includes(':') || /^[a-z]:$/.test(segment)) &&
        !/[. ]$/.test(segment) &&
        !startsAlone.test(segment) &&
        (!segment.startsWith('.') || harmlessDots.test(segment)),
    ) &&
    !instructions.test(segments.at(-1) ?? '')
  )
}

const header = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/
const frame = /^\*\*\* (?:Begin Patch|End Patch|End of File)$/

/** Whether every file that a patch of the form `*** Update File: …` names is one that nothing acts on by itself. */
export function isPlainPatch(patch: string): boolean {
  let files = 0
  for (const line of patch.split(/\r\n|\r|\n/)) {
    const text = line.trim()
    if (!text.startsWith('***') || frame.test(text)) continue
    const path = header.exec(text)?.[1]
    if (path === undefined || !isPlainFile(path.trim())) return false
    files += 1
  }
  return files > 0
}
