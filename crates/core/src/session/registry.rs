//! The tasks of a session by name and id, and what their conditions share.
//!
//! Conditions of the same text are compiled once, calendars of the same period are made once: a
//! hundred thousand tasks with a few thousand schedules keep a few thousand conditions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::UnknownTask;
use super::builder::BuildProblem;
use super::config::{Config, OnConflict};
use super::custom::{CustomCondition, Customs, NamedProbe};
use crate::cond::{Calendar, CompileError, Condition, Names, Who, compile};
use crate::error::nearest;
use crate::expr::{Custom, Expr, Phrase};
use crate::facts::ProbeId;
use crate::param::{Need, Params};
use crate::period::{Dates, Period};
use crate::probe::Probe;
use crate::task::{Body, Policy, Task, TaskId};
use crate::time::Zone;

/// A task of a session.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its number.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// When it may run.
    pub start: Arc<Condition>,
    /// When its runs are stopped.
    pub end: Option<Arc<Condition>>,
    /// What it does.
    pub body: Body,
    /// How it runs.
    pub policy: Policy,
    /// The tasks whose values its arguments want.
    pub wants: Box<[(&'static str, TaskId)]>,
}

/// The tasks of a session, and what their conditions share.
pub(super) struct Registry {
    config: Config,
    zone: Zone,
    shut_cond: Option<Arc<Condition>>,
    tasks: Vec<Option<Arc<Definition>>>,
    ids: HashMap<Arc<str>, TaskId>,
    shared: Shared,
    /// How many tasks were given an instance id.
    instances: u64,
}

#[derive(Default)]
struct Shared {
    conditions: HashMap<Arc<str>, Arc<Condition>>,
    calendars: HashMap<(Period, Zone), Arc<Calendar>>,
    probes: Vec<Probe>,
    /// Probes of custom conditions in text, by that text.
    called: HashMap<String, ProbeId>,
    /// The dates that the user gave names.
    dates: BTreeMap<String, Dates>,
    customs: Customs,
}

/// What to do about a task whose name is settled.
struct Named {
    name: Arc<str>,
    id: TaskId,
    task: Task,
}

type Added = (Vec<Arc<str>>, Vec<Arc<Definition>>);

impl Registry {
    pub(super) fn new(zone: Zone) -> Self {
        Self {
            config: Config::default(),
            zone,
            shut_cond: None,
            tasks: Vec::new(),
            ids: HashMap::new(),
            shared: Shared::default(),
            instances: 0,
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn shut_cond(&self) -> Option<&Arc<Condition>> {
        self.shut_cond.as_ref()
    }

    pub(super) fn probes(&self) -> &[Probe] {
        &self.shared.probes
    }

    pub(super) fn id_of(&self, name: &str) -> Option<TaskId> {
        self.ids.get(name).copied()
    }

    pub(super) fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.tasks.iter().flatten()
    }

    pub(super) fn definition(&self, id: TaskId) -> Option<&Arc<Definition>> {
        self.tasks.get(id.index())?.as_ref()
    }

    pub(super) fn removed(&self) -> Vec<(TaskId, Arc<str>)> {
        let gone = self.ids.iter().filter(|(_, id)| self.definition(**id).is_none());
        gone.map(|(name, id)| (*id, name.clone())).collect()
    }

    pub(super) fn find(&self, name: &str) -> Result<TaskId, UnknownTask> {
        self.alive(name).ok_or_else(|| UnknownTask {
            name: name.to_owned(),
            suggestion: self.similar(name, &HashSet::new()),
        })
    }

    pub(super) fn add_custom(&mut self, custom: CustomCondition) -> Result<(), BuildProblem> {
        self.shared.customs.add(custom)
    }

    pub(super) fn add_probe(&mut self, probe: NamedProbe) -> Result<(), BuildProblem> {
        self.shared.customs.add_probe(probe)
    }

    pub(super) fn add_calendar(&mut self, name: String, dates: Dates) {
        self.shared.dates.insert(name, dates);
    }

    /// Takes over a configuration, unless its `shut_cond` is wrong.
    pub(super) fn configure(&mut self, config: Config) -> Result<(), Vec<BuildProblem>> {
        let shut_cond = match &config.shut_cond {
            None => None,
            Some(expr) => Some(self.compiled(expr, "", &HashSet::new()).map_err(|errors| {
                let problem = |error| BuildProblem::Condition { task: None, error };
                errors.into_iter().map(problem).collect::<Vec<_>>()
            })?),
        };
        self.shut_cond = shut_cond;
        self.config = config;
        Ok(())
    }

    /// Adds tasks that may name each other: all of them, or none and all that is wrong with them.
    ///
    /// Tells the name that each got, and the definitions that are new.
    pub(super) fn add_all(
        &mut self,
        tasks: Vec<Task>,
        params: &Params,
    ) -> Result<Added, Vec<BuildProblem>> {
        let mut problems = Vec::new();
        let places = self.tasks.len();
        let instances = self.instances;
        let mut names = Vec::with_capacity(tasks.len());
        let mut settled: Vec<Named> = Vec::with_capacity(tasks.len());
        // Names first, so that conditions may name tasks that come later.
        let mut fresh: HashSet<TaskId> = HashSet::new();
        let given = self.given_names(&tasks);
        for task in tasks {
            let wanted = match self.wanted_name(&task, &given) {
                Ok(name) => name,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let taken = self.id_of(&wanted).is_some_and(|id| self.is_there(id, &fresh));
            let name = match (taken, self.config.task_pre_exist) {
                (false, _) | (true, OnConflict::Replace) => wanted,
                (true, OnConflict::Rename) => self.free_name(&wanted, " - ", 1),
                (true, OnConflict::Ignore) => {
                    names.push(wanted);
                    continue;
                }
                (true, OnConflict::Raise) => {
                    problems.push(BuildProblem::NameTaken { name: wanted });
                    continue;
                }
            };
            let id = self.claim(&name);
            names.push(name.clone());
            if !fresh.insert(id) {
                // It replaces one of the same batch.
                settled.retain(|earlier| earlier.id != id);
            }
            settled.push(Named { name, id, task });
        }
        let mut definitions = Vec::with_capacity(settled.len());
        for Named { name, id, task } in settled {
            for need in &task.needs {
                problems.extend(self.unmet(&name, need, params, &fresh));
            }
            let start = self.compiled(&task.start, &name, &fresh);
            let end = task.end.as_ref().map(|end| self.compiled(end, &name, &fresh)).transpose();
            match (start, end) {
                (Ok(start), Ok(end)) => definitions.push(Arc::new(Definition {
                    id,
                    name,
                    start,
                    end,
                    body: task.body,
                    policy: task.policy,
                    wants: self.wants(&task.needs),
                })),
                (start, end) => {
                    let errors =
                        start.err().into_iter().flatten().chain(end.err().into_iter().flatten());
                    problems.extend(
                        errors.map(|error| BuildProblem::Condition {
                            task: Some(name.clone()),
                            error,
                        }),
                    );
                }
            }
        }
        if !problems.is_empty() {
            self.ids.retain(|_, id| id.index() < places);
            self.tasks.truncate(places);
            self.instances = instances;
            // Their conditions name tasks by places that others will get.
            drop(definitions);
            self.forget_unused();
            return Err(problems);
        }
        for definition in &definitions {
            // OK because `claim` made the place.
            self.tasks[definition.id.index()] = Some(definition.clone());
        }
        Ok((names, definitions))
    }

    pub(super) fn remove(&mut self, id: TaskId) {
        if let Some(place) = self.tasks.get_mut(id.index()) {
            *place = None;
        }
        // Conditions that only the removed task used would stay for ever otherwise.
        self.forget_unused();
    }

    fn forget_unused(&mut self) {
        self.shared.conditions.retain(|_, condition| Arc::strong_count(condition) > 1);
    }

    pub(super) fn set_disabled(&mut self, id: TaskId, disabled: bool) -> Option<Arc<Definition>> {
        let place = self.tasks.get_mut(id.index())?.as_mut()?;
        if place.policy.disabled == disabled {
            return None;
        }
        Arc::make_mut(place).policy.disabled = disabled;
        Some(place.clone())
    }

    fn alive(&self, name: &str) -> Option<TaskId> {
        self.id_of(name).filter(|id| self.definition(*id).is_some())
    }

    fn similar(&self, name: &str, fresh: &HashSet<TaskId>) -> Option<String> {
        similar(name, &self.ids, |id| self.is_there(id, fresh))
    }

    /// Tells whether a place has a task, or is about to get one.
    fn is_there(&self, id: TaskId, fresh: &HashSet<TaskId>) -> bool {
        self.definition(id).is_some() || fresh.contains(&id)
    }

    /// Tells the names that no instance may take, though their tasks come later.
    fn given_names(&self, tasks: &[Task]) -> HashSet<String> {
        if !self.config.use_instance_naming {
            return HashSet::new();
        }
        tasks.iter().filter_map(|task| task.name.clone()).collect()
    }

    fn wanted_name(
        &mut self,
        task: &Task,
        given: &HashSet<String>,
    ) -> Result<Arc<str>, BuildProblem> {
        let name = match (&task.name, task.function) {
            (Some(name), _) => name.as_str(),
            (None, _) if self.config.use_instance_naming => {
                return Ok(loop {
                    self.instances += 1;
                    let name = self.free_name("task", "-", self.instances);
                    if !given.contains(&*name) {
                        break name;
                    }
                });
            }
            (None, Some(function)) => function,
            (None, None) => return Err(BuildProblem::NoName),
        };
        if name.trim().is_empty() || name.contains(char::is_control) {
            return Err(BuildProblem::BadName { name: name.to_owned() });
        }
        Ok(name.into())
    }

    /// Finds the first free one of `stem`, the separator and a number.
    fn free_name(&self, stem: &str, separator: &str, from: u64) -> Arc<str> {
        let mut number = from;
        loop {
            let name = format!("{stem}{separator}{number}");
            if !self.ids.contains_key(name.as_str()) {
                return name.into();
            }
            number += 1;
        }
    }

    /// Finds or makes the place of a name.
    fn claim(&mut self, name: &Arc<str>) -> TaskId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = TaskId::at(self.tasks.len());
        self.tasks.push(None);
        self.ids.insert(name.clone(), id);
        id
    }

    fn wants(&self, needs: &[Need]) -> Box<[(&'static str, TaskId)]> {
        let want = |need: &Need| match need {
            Need::Return { task, .. } => Some((*task, self.id_of(task)?)),
            Need::Param { .. } => None,
        };
        needs.iter().filter_map(want).collect()
    }

    fn unmet(
        &self,
        task: &Arc<str>,
        need: &Need,
        params: &Params,
        fresh: &HashSet<TaskId>,
    ) -> Option<BuildProblem> {
        let known = |name: &str| self.id_of(name).is_some_and(|id| self.is_there(id, fresh));
        let reason = match need {
            Need::Param { name, of, type_name } => params.why_not(name, *of, type_name),
            Need::Return { task: other, .. } if known(other) => String::new(),
            Need::Return { task: other, .. } => {
                let help =
                    self.similar(other, fresh).map(|near| format!("; did you mean `{near}`?"));
                format!("no task `{other}` whose value it wants{}", help.unwrap_or_default())
            }
        };
        (!reason.is_empty()).then(|| BuildProblem::Argument { task: task.clone(), reason })
    }

    fn compiled(
        &mut self,
        expr: &Expr,
        owner: &str,
        fresh: &HashSet<TaskId>,
    ) -> Result<Arc<Condition>, Vec<CompileError>> {
        // Two closures may have the same name, so what has them inside is not shared.
        let shared = expr.says_all();
        let text: Option<Arc<str>> = shared.then(|| expr.to_string().into());
        // One that names a task that was removed is an error for whoever writes it now.
        let sound = |known: &&Arc<Condition>| {
            known.reads().iter().all(|(who, _)| match who {
                Who::Task(id) => self.is_there(*id, fresh),
                Who::Owner => true,
            })
        };
        let known = text.as_ref().and_then(|text| self.shared.conditions.get(text));
        if let Some(known) = known.filter(sound) {
            return Ok(known.clone());
        }
        let mut names = Scope {
            tasks: &self.tasks,
            ids: &self.ids,
            fresh,
            zone: &self.zone,
            shared: &mut self.shared,
        };
        let condition = Arc::new(compile(expr, owner, &mut names)?);
        if shared {
            self.shared.conditions.insert(condition.text().clone(), condition.clone());
        }
        Ok(condition)
    }
}

/// What compiling sees of a registry.
struct Scope<'a> {
    tasks: &'a [Option<Arc<Definition>>],
    ids: &'a HashMap<Arc<str>, TaskId>,
    /// The tasks that are being added with this one.
    fresh: &'a HashSet<TaskId>,
    zone: &'a Zone,
    shared: &'a mut Shared,
}

impl Scope<'_> {
    /// Tells whether there is such a task; a name without a definition is one that was removed.
    fn has(&self, id: TaskId) -> bool {
        self.tasks.get(id.index()).is_some_and(Option::is_some) || self.fresh.contains(&id)
    }
}

impl Names for Scope<'_> {
    fn task(&self, name: &str) -> Option<TaskId> {
        let id = *self.ids.get(name)?;
        self.has(id).then_some(id)
    }

    fn similar_task(&self, name: &str) -> Option<String> {
        similar(name, self.ids, |id| self.has(id))
    }

    fn probe(&mut self, custom: &Custom) -> Result<ProbeId, String> {
        if let Some(probe) = &custom.probe {
            return Ok(self.shared.add_probe(probe.clone()));
        }
        let call = crate::expr::Statement::Custom(custom.clone()).to_string();
        if let Some(known) = self.shared.called.get(&call) {
            return Ok(*known);
        }
        let probe = self.shared.customs.probe(custom)?;
        let id = self.shared.add_probe(probe);
        self.shared.called.insert(call, id);
        Ok(id)
    }

    fn dates(&self, calendar: &str) -> Option<Dates> {
        self.shared.dates.get(calendar).cloned()
    }

    fn similar_calendar(&self, name: &str) -> Option<String> {
        nearest(name, self.shared.dates.keys().map(String::as_str)).map(str::to_owned)
    }

    fn phrase(&self, phrase: &Phrase) -> Result<Custom, Option<String>> {
        self.shared.customs.call(phrase)
    }

    fn calendar(&mut self, period: Period, zone: Option<&Zone>) -> Arc<Calendar> {
        let key = (period, zone.unwrap_or(self.zone).clone());
        if let Some(known) = self.shared.calendars.get(&key) {
            return known.clone();
        }
        let calendar = Arc::new(Calendar::new(key.0.clone(), key.1.clone()));
        self.shared.calendars.insert(key, calendar.clone());
        calendar
    }
}

/// Finds the name of a task that is there; of two that are as near, the one that was added first.
fn similar(
    name: &str,
    ids: &HashMap<Arc<str>, TaskId>,
    is_there: impl Fn(TaskId) -> bool,
) -> Option<String> {
    let mut known: Vec<_> = ids.iter().filter(|(_, id)| is_there(**id)).collect();
    known.sort_unstable_by_key(|(_, id)| **id);
    nearest(name, known.into_iter().map(|(name, _)| &**name)).map(str::to_owned)
}

impl Shared {
    fn add_probe(&mut self, probe: Probe) -> ProbeId {
        let id = ProbeId(u32::try_from(self.probes.len()).unwrap_or(u32::MAX));
        self.probes.push(probe);
        id
    }
}
