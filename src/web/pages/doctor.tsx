// Doctor: what Larder needs, whether it has it, and what to do when not.
import { Diagnosis, DoctorPage } from '../../../views/pages/doctor.tsx';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

export function addDoctorPages(routes: Routes, { doctor }: Pick<WebServices, 'doctor'>): void {
  routes.livePage({
    path: '/doctor',
    need: 'owner',
    // Asked for by hand only: checks write to the disk, and an open page is not to wear it out.
    regions: async ({ page }) => ({ diagnosis: <Diagnosis page={page} {...(await doctor.diagnose())} /> }),
    render: async ({ page }, _regions, notice) => (
      <DoctorPage page={page} notice={notice} {...(await doctor.diagnose())} />
    ),
  });

  routes.action('/doctor/check', 'owner', async () => {
    const { state } = await doctor.diagnose(true);
    const text = state === 'ok' ? 'Everything was checked, and all is well.' : 'Everything was checked.';
    return { notice: { tone: 'done', text, hint: state === 'ok' ? null : 'See below what to look at.' } };
  });
}
