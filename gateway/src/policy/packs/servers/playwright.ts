/** Microsoft’s browser server, `@playwright/mcp`. */
import type { ContractPack } from '../pack.ts'
import { actsOutside, each, readsOthers, readsOwn, withRoles } from './kinds.ts'

const acts = actsOutside(
  'Acts on pages of strangers with the logins of this browser, and shows what is on them: untrusted after it, and not allowed once the session is.',
)
const goes = actsOutside(
  'Opens a page, with the logins of this browser, and shows what is on it: untrusted after it, and then only at addresses that have a source no stranger writes.',
)
const looks = readsOthers('Shows what the open page says, which strangers wrote.')

export const playwright: ContractPack = {
  name: 'playwright',
  version: 2,
  of: 'npm @playwright/mcp',
  contracts: {
    browser_navigate: withRoles(goes, { url: 'destination' }),
    ...each(['browser_navigate_back', 'browser_tabs'], acts),
    ...each(['browser_click', 'browser_drag', 'browser_hover', 'browser_select_option', 'browser_handle_dialog'], acts),
    ...each(['browser_type', 'browser_press_key', 'browser_fill_form', 'browser_file_upload', 'browser_drop'], acts),
    ...each(['browser_evaluate', 'browser_run_code_unsafe'], acts),
    ...each(['browser_snapshot', 'browser_take_screenshot', 'browser_find', 'browser_wait_for'], looks),
    ...each(['browser_console_messages', 'browser_network_requests', 'browser_network_request'], looks),
    ...each(
      ['browser_close', 'browser_resize', 'browser_emulate_media'],
      readsOwn('Sets up or ends the browser itself; nothing is sent by it.'),
    ),
  },
}
