// One page of the first run, as the part of the program adds it that knows what it is about.
import type { SetupFrameProps } from '../../views/parts/setup-frame.tsx';
import type { SetupProgress, SetupStep } from '../settings/setup-progress.ts';
import type { Routes } from './routes.ts';
import type { WebContext } from './web-environment.ts';

/** What a step's page hands to `SetupFrame`, besides its title and content. */
export type SetupFrameOf = Pick<SetupFrameProps, 'page' | 'steps' | 'current'>;

export interface SetupStepPage extends SetupStep {
  readonly show: (context: WebContext, frame: SetupFrameOf) => Response | Promise<Response>;
  /** The form of the page. Either a page that says what is wrong with it, or null: then the next step follows. */
  readonly take: (context: WebContext, frame: SetupFrameOf) => Promise<Response | null>;
}

/** Adds `/setup/NAME`: for the owner, as long as the first run is not over. */
export function addSetupStep(routes: Routes, setup: SetupProgress, step: SetupStepPage): void {
  const { name } = step;
  setup.offer(step);

  async function frameOf(context: WebContext): Promise<SetupFrameOf | null> {
    const steps = await setup.steps();
    if (steps === null || !steps.some((state) => state.name === name)) return null;
    return { page: context.var.page, steps, current: name };
  }

  routes.get(`/setup/${name}`, 'owner', async (context) => {
    const frame = await frameOf(context);
    return frame === null ? context.notFound() : step.show(context, frame);
  });
  routes.post(`/setup/${name}`, 'owner', async (context) => {
    const frame = await frameOf(context);
    if (frame === null) return context.notFound();
    const answer = await step.take(context, frame);
    if (answer !== null) return answer;
    const next = await setup.pass(name, 'done');
    const { basePath } = context.var.page;
    return context.redirect(next === null ? `${basePath}/` : `${basePath}/setup/${next}`, 303);
  });
}
