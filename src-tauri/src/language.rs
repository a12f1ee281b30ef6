//! What the program says where the window's texts do not reach: in notifications, and before there is a window.

use protocol::{ErrorCode, Failure, JobStatus, Language};

use crate::coming::Ending;

/// Whether it speaks Chinese; English otherwise.
pub(crate) fn is_chinese(language: Language) -> bool {
    match language {
        Language::Zh => true,
        Language::En => false,
        Language::System => sys_locale::get_locale().is_some_and(|locale| locale.starts_with("zh")),
    }
}

/// What to say of a job that came to its end; nothing of what the artist wrote.
pub(crate) fn end(status: &JobStatus, verifies: bool, is_chinese: bool) -> Option<&'static str> {
    let (english, chinese) = match status {
        JobStatus::Done { .. } if verifies => ("The recipe has been verified.", "配方验证已完成。"),
        JobStatus::Done { node: Some(_) } => ("The image is ready.", "图像已生成。"),
        JobStatus::Done { node: None } => ("The answer is ready.", "回答已完成。"),
        JobStatus::Planned => ("The plan is ready for review.", "方案已就绪，等待确认。"),
        JobStatus::Failed { .. } => ("A job failed.", "有一个任务失败。"),
        _ => return None,
    };
    Some(if is_chinese { chinese } else { english })
}

/// What to say of a model that has come, or could not.
pub(crate) fn arrival(ending: Ending, is_chinese: bool) -> &'static str {
    let (english, chinese) = match ending {
        Ending::Ready => ("The model is ready to use.", "模型已可使用。"),
        Ending::Failed => {
            ("The model could not be installed. Resume it on the Models page.", "模型安装失败，可在“模型”页面继续。")
        }
    };
    if is_chinese { chinese } else { english }
}

/// Why there is no window; the program's own line, which is English, stays under what is said in Chinese.
pub(crate) fn obstacle(failure: &Failure, is_chinese: bool) -> String {
    let line = &failure.message;
    if !is_chinese {
        return line.clone();
    }
    let chinese = match failure.code {
        ErrorCode::Busy => "图库已在另一个程序中打开。请先关闭该程序。",
        ErrorCode::NewerProgram => "图库由更高版本的程序创建。请安装最新版本。",
        ErrorCode::FileUnusable => "无法读取或写入程序的文件夹。请检查其权限。",
        ErrorCode::DiskFull => "磁盘已满。请清理磁盘空间后重试。",
        _ => "程序无法启动。",
    };
    format!("{chinese}\n\n{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_artist_chose_comes_before_the_systems_language() {
        assert!(is_chinese(Language::Zh));
        assert!(!is_chinese(Language::En));
    }

    #[test]
    fn why_there_is_no_window_is_said_in_both_languages_with_the_folder() {
        let line = "the library in /a is open in another window of Bagel Studio; close it there first";
        let failure = |code| Failure { code, message: line.to_owned() };
        assert_eq!(obstacle(&failure(ErrorCode::Busy), false), line);
        assert_eq!(
            obstacle(&failure(ErrorCode::Busy), true),
            format!("图库已在另一个程序中打开。请先关闭该程序。\n\n{line}")
        );
        assert!(obstacle(&failure(ErrorCode::Internal), true).starts_with("程序无法启动。"));
    }
}
