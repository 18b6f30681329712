// The switch of the first page.
import { formatSentence } from '../../views/format.ts';
import type { NoticeProps } from '../../views/parts/notice.tsx';
import type { SettingChanges, SettingsCheck } from '../settings/settings-service.ts';

export interface ActionServices {
  readonly changeSettings: (changes: SettingChanges) => Promise<SettingsCheck>;
}

export class Actions {
  readonly #services: ActionServices;

  constructor(services: ActionServices) {
    this.#services = services;
  }

  async setBackgroundFill(on: boolean): Promise<NoticeProps> {
    const result = await this.#services.changeSettings({ backgroundFill: [on ? 'on' : 'off'] });
    const problem = result.ok ? undefined : result.problems[0];
    if (problem !== undefined) {
      const text = formatSentence(problem.message);
      return { tone: 'failed', text, ...(problem.hint === undefined ? {} : { hint: formatSentence(problem.hint) }) };
    }
    return {
      tone: 'done',
      text: on ? 'What is played from now on is fetched whole in the background.' : 'Background fill is off.',
    };
  }
}
