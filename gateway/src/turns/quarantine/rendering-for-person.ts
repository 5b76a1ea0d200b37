/** What is withheld from models as a person may look at it: whole, as text, with everything that cannot be seen written out. */
import { visible } from '../approvals/showing-arguments.ts'

/** Line ends and tabs stay; controls, directions, tags and other characters nothing is to be seen of become `⟨U+200B⟩`. Brackets of handles are marked, so that no text passes for one. */
export function renderForPerson(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.split('\t').map(visible).join('\t'))
    .join('\n')
    .replaceAll('⟦', '⟨U+27E6⟩')
    .replaceAll('⟧', '⟨U+27E7⟩')
}
