//! What is seen of the work outside the window: progress in the taskbar, and a word when a result is there.

use std::collections::HashSet;

use protocol::{Job, JobId, JobStatus, Phase, Settings, StudioEvent};
use studio::Studio;
use tauri::window::{ProgressBarState, ProgressBarStatus};
use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;

use crate::coming::Coming;
use crate::language;

/// Follows the studio for as long as it is open.
pub(crate) async fn follow(app: AppHandle, studio: Studio) {
    loop {
        let Ok((snapshot, mut events)) = studio.subscribe().await else { return };
        let mut settings = snapshot.settings;
        let mut running: Option<JobId> = None;
        // What ended while events were lost would stay in the taskbar.
        show_progress(&app, standing(&snapshot.jobs, &mut running));
        let mut coming = Coming::of(&snapshot.models);
        let mut verifying: HashSet<JobId> =
            snapshot.jobs.into_iter().filter(|job| job.verifies.is_some()).map(|job| job.id).collect();
        loop {
            let event = events.recv().await;
            if let Some(ending) = event.as_ref().ok().and_then(|event| coming.follow(event))
                && settings.notifies
            {
                notify(&app, language::arrival(ending, language::is_chinese(settings.language)));
            }
            match event {
                Ok(StudioEvent::Settings { settings: changed }) => settings = changed,
                Ok(StudioEvent::JobQueued { job }) if job.verifies.is_some() => {
                    verifying.insert(job.id);
                }
                Ok(StudioEvent::JobChanged { job, status }) => {
                    if let Some(state) = progress(job, &status, &mut running) {
                        show_progress(&app, state);
                    }
                    if let Some(words) = words(&status, verifying.contains(&job), &settings) {
                        notify(&app, words);
                    }
                }
                Ok(_) => {}
                // It begins anew with everything as it stands.
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// How far the running job is when one begins to follow; cleared where none runs.
fn standing(jobs: &[Job], running: &mut Option<JobId>) -> ProgressBarState {
    let cleared = ProgressBarState { status: Some(ProgressBarStatus::None), progress: None };
    jobs.iter().find_map(|job| progress(job.id, &job.status, running)).unwrap_or(cleared)
}

/// How far the running job is, when that changed.
fn progress(job: JobId, status: &JobStatus, running: &mut Option<JobId>) -> Option<ProgressBarState> {
    let shown = |status, progress| Some(ProgressBarState { status: Some(status), progress });
    match status {
        JobStatus::Running { phase } => {
            let is_new = running.replace(job) != Some(job);
            match phase {
                Phase::Painting { step, steps } if *steps > 0 => {
                    shown(ProgressBarStatus::Normal, Some(u64::from(*step) * 100 / u64::from(*steps)))
                }
                _ if is_new => shown(ProgressBarStatus::Indeterminate, None),
                _ => None,
            }
        }
        _ if *running == Some(job) && *status != JobStatus::Stopping => {
            *running = None;
            shown(ProgressBarStatus::None, None)
        }
        _ => None,
    }
}

fn show_progress(app: &AppHandle, state: ProgressBarState) {
    if let Some(window) = app.get_webview_window("main") {
        // A desktop that shows no progress is none the worse.
        let _ = window.set_progress_bar(state);
    }
}

/// What to say of a job that came to its end; nothing of what the artist wrote.
fn words(status: &JobStatus, verifies: bool, settings: &Settings) -> Option<&'static str> {
    if !settings.notifies {
        return None;
    }
    language::end(status, verifies, language::is_chinese(settings.language))
}

/// Says it while another program has the focus.
fn notify(app: &AppHandle, words: &'static str) {
    let is_seen = app.get_webview_window("main").is_none_or(|window| window.is_focused().unwrap_or(true));
    if is_seen {
        return;
    }
    tauri::async_runtime::spawn_blocking(move || {
        let shown = notify_rust::Notification::new().appname("Bagel Studio").summary("Bagel Studio").body(words).show();
        if let Err(error) = shown {
            tracing::debug!(%error, "the desktop shows no notifications");
        }
    });
}

#[cfg(test)]
mod tests {
    use protocol::{ImageParameters, Kind, Language, ProjectId, Thinking};

    use super::*;

    #[test]
    fn the_taskbar_follows_the_running_job_and_is_cleared_after_it() {
        let job = JobId::from_u128(1);
        let mut running = None;
        let painting = |step| JobStatus::Running { phase: Phase::Painting { step, steps: 4 } };
        let mut check = |status: JobStatus, expected: Option<Option<u64>>| {
            assert_eq!(progress(job, &status, &mut running).map(|state| state.progress), expected, "{status:?}");
        };
        check(JobStatus::Queued, None);
        check(JobStatus::Running { phase: Phase::Reading }, Some(None));
        check(JobStatus::Running { phase: Phase::Writing }, None);
        check(painting(1), Some(Some(25)));
        check(JobStatus::Stopping, None);
        check(JobStatus::Cancelled, Some(None));
        check(JobStatus::Cancelled, None);
    }

    #[test]
    fn the_taskbar_begins_anew_with_what_runs_now() {
        let job = |id, status| Job {
            id: JobId::from_u128(id),
            project: ProjectId::new(),
            kind: Kind::Generate,
            prompt: String::new(),
            image: None,
            references: Vec::new(),
            thinking: Thinking::Off,
            pauses_after_plan: false,
            parameters: ImageParameters::generate(),
            verifies: None,
            status,
            plan: String::new(),
            answer: String::new(),
            preview: None,
            expected_secs: None,
            created_ms: 0,
        };
        let mut running = None;
        let painting = JobStatus::Running { phase: Phase::Painting { step: 3, steps: 4 } };
        let jobs = [job(1, JobStatus::Queued), job(2, painting)];
        assert_eq!(standing(&jobs, &mut running).progress, Some(75));
        assert_eq!(running, Some(JobId::from_u128(2)));
        let mut running = None;
        assert!(matches!(standing(&jobs[..1], &mut running).status, Some(ProgressBarStatus::None)));
        assert_eq!(running, None);
    }

    #[test]
    fn results_are_announced_in_the_artists_language_unless_that_is_off() {
        let settings = |language, notifies| Settings { language, notifies, ..Settings::default() };
        let done = JobStatus::Done { node: None };
        let said = |status, verifies, language| words(status, verifies, &settings(language, true));
        assert_eq!(said(&done, false, Language::En), Some("The answer is ready."));
        assert_eq!(said(&done, false, Language::Zh), Some("回答已完成。"));
        assert_eq!(said(&done, true, Language::En), Some("The recipe has been verified."), "nothing was asked");
        assert_eq!(words(&done, false, &settings(Language::En, false)), None);
        assert_eq!(said(&JobStatus::Cancelled, false, Language::En), None);
    }
}
